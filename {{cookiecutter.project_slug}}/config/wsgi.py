"""The WSGI application."""

import gc
import os
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Requests are in a hurry, commands are not: the settings give each its time for the database.
os.environ.setdefault("DJANGO_SERVING", "true")

application = get_wsgi_application()


def warm_up() -> None:
    """Ask for the landing page, which loads the URLs, the views and the templates.

    The server does so before it makes its processes: they share the memory, and none of them, also when it
    takes the place of another, keeps its first visitor waiting.
    """
    host = settings.ALLOWED_HOSTS[0].removeprefix(".")
    environ = {"HTTP_HOST": host, "PATH_INFO": "/", "wsgi.url_scheme": "https"}
    setup_testing_defaults(environ)
    response = application(environ, lambda status, headers, error=None: bytearray().extend)
    b"".join(response)
    response.close()
    # A connection cannot be shared.
    connections.close_all()
    gc.freeze()


if not settings.DEBUG:
    warm_up()
