"""The app of the users."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The project's own user model."""

    name = "{{ cookiecutter.project_slug }}.accounts"
