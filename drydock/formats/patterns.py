"""Lists of patterns such as .gitignore: a later one wins."""

from drydock.formats.document import Document, Leaf, ordered


def parse(_path: str, text: str) -> Document:
    """Return the patterns: trailing spaces mean nothing, except after a backslash."""
    lines = (line if line.endswith("\\ ") else line.rstrip(" \t") for line in text.split("\n"))
    return ordered([Leaf(line, "") for line in lines if line and not line.startswith("#")])
