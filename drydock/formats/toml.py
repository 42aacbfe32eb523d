"""TOML."""

import tomllib
from typing import Any

from drydock.formats.document import Document, unix
from drydock.formats.nested import Bare, Pairs, document


def parse(_path: str, text: str) -> Document:
    """Return the document of TOML; tables are mappings, however they are written."""
    return document([("", converted(tomllib.loads(unix(text), parse_float=Bare)))])


def converted(value: Any) -> Any:  # noqa: ANN401 -- any TOML
    """Return a value with mappings as pairs, and non-strings as they are."""
    match value:
        case dict():
            return Pairs([(key, converted(item)) for key, item in value.items()])
        case list():
            return [converted(item) for item in value]
        case str() | bool() | Bare():
            return value
        case _:
            return Bare(str(value))
