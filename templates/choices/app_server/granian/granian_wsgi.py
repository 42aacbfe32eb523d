"""The WSGI application for Granian."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from config.wsgi import application as django


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer, and read what Django has left of the body, up to UPLOAD_LIMIT.

    Closing a connection with unread bytes resets it, and nginx turns Django's answer into a 502.
    """
    response: Iterable[bytes] = django(environ, start_response)
    rest = int(os.environ["UPLOAD_LIMIT"]) << 20
    while rest > 0 and (data := environ["wsgi.input"].read(1 << 16)):
        rest -= len(data)
    return response
