{% from "catalogue.jinja" import queue with context %}
"""The landing page."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

{% if queue.image %}
from config.celery import tasks_are_done
{% endif %}
from config.health import cache_answers, database_answers


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the landing page, and whether what the site is made of works."""
    checks = [
        (_("Database"), database_answers()),
        (_("Cache"), cache_answers()),
{% if queue.image %}
        (_("Tasks"), tasks_are_done()),
{% endif %}
    ]
    return render(request, "core/home.html", {"checks": checks, "debug": settings.DEBUG})
