"""A structured file as a value: what it means, and what can be shown by key."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from typing import NamedTuple

# More than any settings file has or needs: values, depth, characters, seconds. Limits for hostile ones.
LIMIT = 100_000
DEPTH = 100
LONGEST = 4_000_000
SECONDS = 5.0


class Uncertain(ValueError):
    """The text may well be valid; this program cannot tell what it means."""


class Leaf(NamedTuple):
    """A value, and the path of keys that leads to it.

    A key may occur several times. `origin` is the path where the value of an alias is written.
    """

    key: str
    value: str
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What was read from a file.

    `leaves` are in the order of the file. `meaning` is equal for two texts exactly if they mean the same: leaves
    with everything that counts, in an order that counts. Both are None if the text was not understood;
    `problem` then says why, if it is certainly broken.
    """

    leaves: tuple[Leaf, ...] | None = None
    meaning: tuple[tuple[str, str], ...] | None = None
    problem: str | None = None

    def means_the_same(self, other: "Document", *, without: Callable[[str], bool]) -> bool:
        """Tell whether two documents are certain to mean the same, keys that do not count aside."""
        if self.meaning is None or other.meaning is None:
            return False
        ours, theirs = (
            [pair for pair in document.meaning or () if not without(pair[0])]
            for document in (self, other)
        )
        return ours == theirs


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of files.

    `names` are patterns of file names, or of paths if they have a slash. `certain` says that a file with such a
    name is always in this format, so one that cannot be parsed is broken. `keyed` says that only the keys count, and
    not their order.
    """

    module: str
    names: tuple[str, ...]
    certain: bool = True
    keyed: bool = True

    def parse(self, path: str, text: str) -> Document:
        """Return what a text without a byte order mark means, as the format's module reads it.

        ValueError for a broken text, and Uncertain for one that the module does not understand.
        """
        read: Callable[[str, str], Document] = import_module(f"drydock.formats.{self.module}").parse
        return read(path, text)

    def matches(self, path: str) -> bool:
        """Tell whether the format is that of a path's files."""
        name = path.rpartition("/")[2]
        return any(
            fnmatchcase(f"/{path}", f"*/{pattern}")
            if "/" in pattern
            else fnmatchcase(name, pattern)
            for pattern in self.names
        )


def ordered(leaves: list[Leaf]) -> Document:
    """Return the document of a format in which all order counts."""
    if len(leaves) > LIMIT:
        raise Uncertain(f"has more than {LIMIT} keys")
    return Document(leaves=tuple(leaves), meaning=tuple((leaf.key, leaf.value) for leaf in leaves))


def unix(text: str) -> str:
    """Return a text with LF line ends, for formats to which LF and CRLF are the same."""
    return text.replace("\r\n", "\n")


def squeezed(text: str) -> str:
    """Return a line with runs of spaces collapsed, except in quotes and after a backslash."""
    parts = re.findall(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|\s+|[^\s\\'\"]+|.", text, re.DOTALL)
    if any(part in ("'", '"', "\\") for part in parts):
        return text.strip()  # An unterminated quote: what it contains is unknown.
    return "".join(" " if part.isspace() else part for part in parts).strip()
