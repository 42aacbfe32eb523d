"""Housekeeping."""

from celery import shared_task
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError


@shared_task(autoretry_for=(OperationalError,), **settings.TASK_RETRY)
def clear_sessions() -> None:
    """Delete expired sessions."""
    call_command("clearsessions")
