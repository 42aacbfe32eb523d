"""Texts of Django that its Korean translation lacks. Here, makemessages finds them, and locale/ has them."""

from django.utils.translation import gettext_noop

TEXTS = [gettext_noop("- Select an option -"), gettext_noop("Filter by %(field_name)s")]
