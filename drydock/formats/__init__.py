"""Formats of structured files: one file each, and one line here."""

from drydock.formats import (
    dockerfile,
    dotenv,
    ini,
    jsonc,
    nginx,
    patterns,
    requirements,
    toml,
    yaml,
)
from drydock.formats.document import Document, Format, Leaf, Uncertain

# A path's format is the first one that matches it.
FORMATS: tuple[Format, ...] = (
    yaml.FORMAT,
    toml.FORMAT,
    jsonc.FORMAT,
    ini.FORMAT,
    nginx.FORMAT,
    dockerfile.FORMAT,
    dotenv.FORMAT,
    requirements.FORMAT,
    patterns.FORMAT,
)
BOM = "\ufeff"


def format_of(path: str) -> Format | None:
    """Return the format of a path's files; None if it is unknown."""
    return next((form for form in FORMATS if form.matches(path)), None)


def is_keyed(path: str) -> bool:
    """Tell whether a path's format is one in which only the keys count."""
    form = format_of(path)
    return form is not None and form.keyed


def parse(path: str, text: str) -> Document:
    """Return what a file at a path means; never an error, whatever the text is."""
    form = format_of(path)
    if form is None or text.startswith(BOM):
        return Document()
    try:
        return form.parse(path, text)
    except (Uncertain, RecursionError):
        return Document()
    except ValueError as error:
        return Document(problem=str(error) if form.certain else None)


__all__ = ["FORMATS", "Document", "Format", "Leaf", "format_of", "is_keyed", "parse"]
