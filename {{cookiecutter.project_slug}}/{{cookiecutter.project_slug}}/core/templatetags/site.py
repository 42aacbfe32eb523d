"""What every page may show of the site, error pages included: they have no request, and no context of it."""

from django.conf import settings
from django.template import Library

register = Library()


@register.simple_tag
def site_name() -> str:
    """Return the name of the site."""
    return settings.SITE_NAME
