-- Development only, on the database server's first start: the tests create their own databases.
ALTER ROLE "{{ cookiecutter.project_slug }}" CREATEDB;
