"""What the application needs to know about being behind nginx."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ClientAddressMiddleware:
    """Make REMOTE_ADDR the client's address if the server took nginx for the client.

    Only nginx can reach the backend, and it sets the header on every request, whatever the client sent.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if address := request.headers.get("x-forwarded-for"):
            request.META["REMOTE_ADDR"] = address
        return self.get_response(request)
