"""The application."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The users of the site."""

    name = __name__.removesuffix(".apps")
    # What its migrations say, whatever DEFAULT_AUTO_FIELD is.
    default_auto_field = "django.db.models.BigAutoField"
