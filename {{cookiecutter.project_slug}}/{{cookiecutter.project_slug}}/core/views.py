"""The landing page."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the landing page."""
    return render(request, "core/home.html", {"site_name": settings.SITE_NAME})
