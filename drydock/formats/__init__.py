"""Formats of structured files: a file each, with `parse(path, text) -> Document`, and an entry here."""

import re
from dataclasses import replace

from drydock.formats.document import LONGEST, SECONDS, Document, Format, Leaf, Uncertain
from drydock.formats.ini import PYTHON
from drydock.formats.jsonc import COMMENTED, FOLDERS
from drydock.limits import TimeUp, timed

# A path's format is the first one that matches it. Its module is imported when a file is first parsed.
FORMATS: tuple[Format, ...] = (
    Format(module="yaml", names=("*.yml", "*.yaml")),
    Format(module="toml", names=("*.toml", "Pipfile", "poetry.lock", "uv.lock")),
    Format(
        module="jsonc", names=("*.json", *COMMENTED, *(f"{folder}/*.json" for folder in FOLDERS))
    ),
    Format(module="ini", names=("*.ini", "*.cfg", "*.cnf", *PYTHON), certain=False),
    Format(module="ini", names=(".editorconfig",), certain=False, keyed=False),
    Format(module="nginx", names=("*.conf", "*.conf.template"), keyed=False),
    Format(
        module="dockerfile",
        names=("Dockerfile", "Dockerfile.*", "*.dockerfile", "Containerfile"),
        keyed=False,
    ),
    Format(module="dotenv", names=(".env", ".env.*", "*.env"), certain=False),
    Format(
        module="requirements",
        names=("requirements*.txt", "constraints*.txt", "requirements/*.txt"),
        certain=False,
    ),
    Format(
        module="patterns",
        names=(".*ignore", ".gitattributes", "CODEOWNERS"),
        certain=False,
        keyed=False,
    ),
)
BOM = "\ufeff"
# Comments that programs read, in the first two lines: how a text is run or encoded, or what it is, as for cloud-init.
READ = re.compile(
    r"#!|#(?:cloud-[\w-]+|include|include-once|part-handler)\s*$|##\s*template:|#.*\bcoding[:=]|#\s*(?:syntax|escape|check)\s*="
)


def format_of(path: str) -> Format | None:
    """Return the format of a path's files; None if it is unknown."""
    return next((form for form in FORMATS if form.matches(path)), None)


def is_keyed(path: str) -> bool:
    """Tell whether a path's format is one in which only the keys count."""
    form = format_of(path)
    return form is not None and form.keyed


def parse(path: str, text: str) -> Document:
    """Return what a file at a path means; never an error, whatever the text is.

    Nothing is known of one that is far too long, or takes far too long: it is compared by line.
    """
    form = format_of(path)
    if form is None or text.startswith(BOM) or len(text) > LONGEST:
        return Document()
    try:
        with timed(SECONDS):
            document = form.parse(path, text)
    except (Uncertain, RecursionError, TimeUp):
        return Document()
    except ValueError as error:
        return Document(problem=str(error) if form.certain else None)
    if document.meaning is None:
        return document
    told = [("#", "".join(line.split())) for line in text.split("\n", 2)[:2] if READ.match(line)]
    return replace(document, meaning=(*told, *document.meaning))


__all__ = ["FORMATS", "Document", "Format", "Leaf", "format_of", "is_keyed", "parse"]
