"""The names of static files in production."""

import logging
from collections.abc import Callable
from re import Match
from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from whitenoise.storage import CompressedManifestStaticFilesStorage

logger = logging.getLogger(__name__)


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Store each file compressed, under its own name and under one with a hash of its contents.

    A file may refer to one that does not exist, and may be somebody else's: the reference stays as it is, and the log
    names both.
    """

    def url_converter(self, name: str, *args: Any, **options: Any) -> Callable[[Match[str]], str]:
        """Return a function that replaces the names in a file's references."""
        convert = super().url_converter(name, *args, **options)

        def convert_or_keep(match: Match[str]) -> str:
            try:
                return str(convert(match))
            except (ValueError, SuspiciousFileOperation):
                logger.warning("%s refers to a file that does not exist: %s", name, match[0])
                return match[0]

        return convert_or_keep
