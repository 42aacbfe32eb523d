"""What visitors get while another service is not available."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .client import ServiceUnavailable

logger = logging.getLogger(__name__)


class ServiceUnavailableMiddleware:
    """Answer 503, and log which service is missing, unless a view does without it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the response to an exception of a view, if it is this one."""
        if not isinstance(exception, ServiceUnavailable):
            return None
        logger.warning("%s", exception)
        headers = {"Cache-Control": "no-store", "Content-Type": "text/plain", "Retry-After": "5"}
        return HttpResponse("Service Unavailable", status=503, headers=headers)
