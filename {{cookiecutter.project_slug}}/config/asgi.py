"""The ASGI application."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Requests are in a hurry, commands are not: the settings give them different database time-outs.
os.environ.setdefault("DJANGO_SERVING", "true")

application = get_asgi_application()
