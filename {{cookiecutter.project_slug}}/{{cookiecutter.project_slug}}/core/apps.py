"""The app of what every page shares."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Landing page, base template, and the command that waits for the database."""

    name = "{{ cookiecutter.project_slug }}.core"
