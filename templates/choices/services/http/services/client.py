"""Calls to other services: bounded in time, repeated only where that does no harm, given up while a service is down.

The answer of billing, for example: service("billing").get("/invoices/7/").json()
"""

import time
from functools import cache
from threading import Lock
from typing import Any

import httpx
import stamina
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django_guid import get_guid

from .tokens import sign

# Seconds, like all below: to connect, for each piece of an answer, and for all attempts together.
CONNECT = 1.0
READ = 3.0
DEADLINE = 5.0
ATTEMPTS = 3
# What may arrive twice.
IDEMPOTENT = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
# After so many failures in a row, a service is left alone for a while.
FAILURES = 5
PAUSE = 5.0


class ServiceUnavailable(Exception):
    """Another service gives no answer, or not in time: a page that needs it answers 503."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)

    def __str__(self) -> str:
        return "The service {} is not available: {}".format(*self.args)


class Breaker:
    """Closed while a service answers; open, for a pause, after several failures in a row.

    After each pause, one call may try: if it succeeds, all may. Each process has its own.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.failures = 0
        self.open_until = 0.0

    def allows(self) -> bool:
        """Tell whether a call may go; while open, only the first one after a pause."""
        with self.lock:
            if self.failures < FAILURES:
                return True
            now = time.monotonic()
            if now < self.open_until:
                return False
            self.open_until = now + PAUSE
            return True

    def record(self, *, success: bool) -> None:
        """Count the outcome of a call."""
        with self.lock:
            self.failures = 0 if success else self.failures + 1
            self.open_until = time.monotonic() + PAUSE


class Service:
    """Another service, with the connections to it."""

    def __init__(self, name: str, url: str, transport: httpx.BaseTransport | None = None) -> None:
        self.name = name
        self.breaker = Breaker()
        self.client = httpx.Client(
            auth=self.introduce, base_url=url, transport=transport, trust_env=False
        )
        self.retry = stamina.RetryingCaller(
            attempts=ATTEMPTS, timeout=DEADLINE, wait_initial=0.1, wait_max=1, wait_jitter=0.2
        )

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a GET; see `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Return the answer to a POST; see `request`."""
        return self.request("POST", path, **options)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer, if its status is below 500; ServiceUnavailable otherwise.

        The options are those of httpx.request, such as `params` and `json`.
        """
        ends = time.monotonic() + DEADLINE

        def attempt() -> httpx.Response:
            return self.attempt(method, path, ends, options)

        try:
            if method in IDEMPOTENT:
                return self.retry(httpx.HTTPError, attempt)
            return attempt()
        except httpx.HTTPError as error:
            raise ServiceUnavailable(self.name, f"{type(error).__name__} {error}") from error

    def attempt(
        self, method: str, path: str, ends: float, options: dict[str, Any]
    ) -> httpx.Response:
        """Return the answer to one attempt; httpx.HTTPError if it fails."""
        if not self.breaker.allows():
            raise ServiceUnavailable(self.name, f"it failed {FAILURES} times in a row")
        try:
            response = self.ask(method, path, ends, options)
            if response.is_server_error:
                response.raise_for_status()
        except httpx.HTTPError:
            self.breaker.record(success=False)
            raise
        self.breaker.record(success=True)
        return response

    def ask(self, method: str, path: str, ends: float, options: dict[str, Any]) -> httpx.Response:
        """Return an answer of any status, read before the deadline."""
        left = max(ends - time.monotonic(), 0.001)
        timeout = httpx.Timeout(min(READ, left), connect=min(CONNECT, left))
        with self.client.stream(method, path, timeout=timeout, **options) as response:
            content = bytearray()
            # A time-out of httpx is one for each piece: a slow answer has many.
            for piece in response.iter_bytes():
                content += piece
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout("The answer is too slow", request=response.request)
            # It is decoded.
            response.headers.pop("content-encoding", None)
            return httpx.Response(
                response.status_code,
                headers=response.headers,
                content=bytes(content),
                request=response.request,
            )

    def introduce(self, request: httpx.Request) -> httpx.Request:
        """Say who asks, and for which request."""
        request.headers["Authorization"] = f"Bearer {sign(self.name)}"
        # A call over http is not led to https if this address is in the other's TRUSTED_PROXY.
        request.headers["X-Forwarded-Proto"] = "https"
        if request_id := get_guid():
            request.headers["X-Request-ID"] = request_id
        return request


@cache
def service(name: str) -> Service:
    """Return a service of SERVICE_URLS; ImproperlyConfigured if it is not there."""
    if name not in settings.SERVICE_URLS:
        example = f"SERVICE_URLS={name}=http://{name}:8080"
        raise ImproperlyConfigured(f"SERVICE_URLS has no service {name}. For example: {example}")
    return Service(name, settings.SERVICE_URLS[name])
