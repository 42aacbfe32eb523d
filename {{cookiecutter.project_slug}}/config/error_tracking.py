"""Errors for a server that speaks Sentry's protocol: without personal data, without traces."""

from typing import TYPE_CHECKING

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from django_guid import get_guid
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.utils import BadDsn

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def before_send(event: "Event", hint: "Hint") -> "Event":
    """Add the request's id, which nginx logs, too; leave out what is after the question mark of its URL."""
    if request_id := get_guid():
        event.setdefault("tags", {})["request_id"] = request_id
    event.get("request", {}).pop("query_string", None)
    return event


def start(dsn: str) -> None:
    """Send errors to the project that a DSN names, if there is one; ImproperlyConfigured if it is wrong."""
    if not dsn:
        return
    try:
        # By default, it sends neither cookies nor users, and no traces.
        sentry_sdk.init(
            dsn,
            before_send=before_send,
            event_scrubber=EventScrubber(recursive=True),
            include_local_variables=False,
            max_request_body_size="never",
        )
    except BadDsn as error:
        example = "https://key@errors.example.com/1"
        raise ImproperlyConfigured(
            f"SENTRY_DSN is not a DSN: {error}. For example: SENTRY_DSN={example}"
        ) from None
