"""What the application needs to know about being behind nginx, and pages with a policy of their own."""

from collections.abc import Callable

from django.conf import settings
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


class PolicyMiddleware:
    """Let the paths in POLICY_PATHS do more than POLICY; other middleware leaves headers that are there alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for path, more in settings.POLICY_PATHS.items():
            if request.path_info.startswith(path):
                suffix = "-Report-Only" if settings.POLICY_REPORT_ONLY else ""
                response.headers.setdefault(f"Content-Security-Policy{suffix}", policy(more))
                if "frame-ancestors" in more:
                    response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        return response


def policy(more: dict[str, list[str]]) -> str:
    """Return the site's policy with more sources in some directives."""
    directives = dict(settings.POLICY)
    for name, sources in more.items():
        before = directives.get(name, directives["default-src"])
        directives[name] = [*(source for source in before if source != "'none'"), *sources]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())
