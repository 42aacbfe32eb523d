-- On the database server's first start, the application gets a role that owns its database and nothing else.
\getenv password APP_PASSWORD
CREATE ROLE "{{ cookiecutter.project_slug }}" LOGIN PASSWORD :'password';
CREATE DATABASE "{{ cookiecutter.project_slug }}" OWNER "{{ cookiecutter.project_slug }}";
