-- Development only, at the first start of the database server: the tests make their own databases.
GRANT ALL ON `test\_{{ cookiecutter.project_slug|replace("_", "\\_") }}%`.* TO '{{ cookiecutter.project_slug }}'@'%';
