"""Lists of patterns such as .gitignore: a later one wins."""

import re

from drydock.formats.document import Document, Leaf, ordered


def parse(_path: str, text: str) -> Document:
    """Return the patterns: trailing spaces mean nothing, except one after a backslash."""
    lines = (re.sub(r"(?<!\\) +$", "", line) for line in text.split("\n"))
    return ordered([Leaf(line, "") for line in lines if line and not line.startswith("#")])
