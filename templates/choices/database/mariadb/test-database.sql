-- Development only, on the database server's first start: the tests create their own databases.
GRANT ALL ON `test\_{{ cookiecutter.project_slug|replace("_", "\\_") }}%`.* TO '{{ cookiecutter.project_slug }}'@'%';
