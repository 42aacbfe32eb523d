"""Write a file so that it is there as it was, or as it should be, whatever happens meanwhile."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def name_of_partial() -> str:
    """Return a name that no file has yet. It is short, because that of the file may be as long as a name can be."""
    return f".drydock-{secrets.token_hex(8)}"


@contextmanager
def replacing(target: Path, name: str = "") -> Iterator[Path]:
    """Give a path beside a file at which to make what then takes its place; nothing stays there.

    Whoever has to find it after an interruption gives its name.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(name or name_of_partial())
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
