"""The application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """The users of the site."""

    name = __name__.removesuffix(".apps")
    verbose_name = _("Accounts")
    # What its migrations say, whatever DEFAULT_AUTO_FIELD is.
    default_auto_field = "django.db.models.BigAutoField"
