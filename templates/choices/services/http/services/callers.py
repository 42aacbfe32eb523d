"""Which service calls: its tokens, checked with the keys that it publishes."""

import logging
import time
from functools import cache
from threading import Lock

import httpx
import jwt
from django.conf import settings

from .client import ServiceUnavailable, service
from .tokens import ALGORITHM

logger = logging.getLogger(__name__)

KEYS = "/.well-known/jwks.json"
# Seconds: how long keys are used before they are fetched again, and the least time between two fetches.
LIFETIME = 300
PAUSE = 10
# Between the clocks of two machines.
LEEWAY = 10


class KeySet:
    """The public keys of a service, fetched from it when they are old, or when a token has another."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = Lock()
        self.keys: dict[str | None, jwt.PyJWK] = {}
        self.fetched = float("-inf")

    def find(self, kid: str | None) -> jwt.PyJWK:
        """Return a key by its id; jwt.InvalidKeyError, or ServiceUnavailable if none could be fetched."""
        age = time.monotonic() - self.fetched
        old = age > LIFETIME or (kid not in self.keys and age > PAUSE)
        # One fetches, and the others use what is there: they could all wait for a service that is silent.
        if old and self.lock.acquire(blocking=False):
            try:
                self.fetched = time.monotonic()
                self.fetch()
            finally:
                self.lock.release()
        fetching = self.lock.locked()
        keys = self.keys
        if kid in keys:
            return keys[kid]
        # A key that is being fetched may be this one.
        if fetching or not keys:
            raise ServiceUnavailable(self.name, "its keys are not known")
        raise jwt.InvalidKeyError(f"{self.name} has no key {kid}")

    def fetch(self) -> None:
        """Replace the keys by those that the service has; they stay if that fails."""
        try:
            answer = service(self.name).get(KEYS).raise_for_status().json()
            self.keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(answer).keys}
        except (ServiceUnavailable, httpx.HTTPError, AttributeError, ValueError, jwt.PyJWTError):
            logger.warning("The keys of %s cannot be fetched", self.name, exc_info=True)


@cache
def key_set(name: str) -> KeySet:
    """Return the keys of a service, one set for the process."""
    return KeySet(name)


def issuer(token: str | bytes) -> str:
    """Return which service says that it has signed a token, unchecked; empty if none of SERVICE_URLS does."""
    try:
        name = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.InvalidTokenError:
        return ""
    return name if isinstance(name, str) and name in settings.SERVICE_URLS else ""


def caller(token: str | bytes) -> str:
    """Return which service has signed a token for this one.

    jwt.PyJWTError if none has; ServiceUnavailable if its keys cannot be fetched.
    """
    if not (name := issuer(token)):
        raise jwt.InvalidIssuerError("The token is of no service in SERVICE_URLS")
    key = key_set(name).find(jwt.get_unverified_header(token).get("kid"))
    jwt.decode(
        token,
        key,
        [ALGORITHM],
        audience=settings.SERVICE_NAME,
        issuer=name,
        leeway=LEEWAY,
        options={"require": ["aud", "exp", "iat", "iss"]},
    )
    return name
