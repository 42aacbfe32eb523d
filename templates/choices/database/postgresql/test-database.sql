-- Development only, at the first start of the database server: the tests make their own databases.
ALTER ROLE "{{ cookiecutter.project_slug }}" CREATEDB;
