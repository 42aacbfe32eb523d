"""The WSGI application."""

import gc
import os
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Requests are in a hurry, commands are not: the settings give them different database time-outs.
os.environ.setdefault("DJANGO_SERVING", "true")

if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
    from config import tracing

    tracing.instrument()

application = get_wsgi_application()


def warm_up() -> None:
    """Request the landing page, which loads the URLs, the views and the templates.

    Each process has done this before its first visitor comes. Those that the server forks share the memory.
    """
    host = settings.ALLOWED_HOSTS[0].removeprefix(".")
    environ = {"HTTP_HOST": host, "PATH_INFO": "/", "wsgi.url_scheme": "https"}
    setup_testing_defaults(environ)
    response = application(environ, lambda status, headers, error=None: bytearray().extend)
    b"".join(response)
    response.close()
    # Processes cannot share a connection.
    connections.close_all()
    gc.freeze()


if not settings.DEBUG:
    warm_up()
if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
    # Not before: a connection to the server of traces could not be shared either.
    tracing.start()
