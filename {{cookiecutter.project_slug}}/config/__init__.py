{% from "catalogue.jinja" import queue with context %}
{% if queue.image %}
"""The project's configuration."""

from .celery import app

__all__ = ["app"]
{% endif %}
