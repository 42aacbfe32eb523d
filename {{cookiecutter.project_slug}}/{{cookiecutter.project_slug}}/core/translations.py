"""Texts of Django that its Korean lacks, or has with both particles ("와/과"). Here, makemessages finds them."""

from django.utils.translation import gettext_noop

TEXTS = [
    gettext_noop("- Select an option -"),
    gettext_noop("Filter by %(field_name)s"),
    gettext_noop(
        "Please enter a correct %(username)s and password. "
        "Note that both fields may be case-sensitive."
    ),
    gettext_noop(
        "Please enter the correct %(username)s and password for a staff account. "
        "Note that both fields may be case-sensitive."
    ),
]
