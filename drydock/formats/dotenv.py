"""Files of variables such as .env.example."""

import re

from drydock.formats.document import Document, Uncertain
from drydock.formats.nested import Bare, Pairs, document

NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
ENTRY = re.compile(
    r"""(?x) [ \t]* (?:export[ \t]+)? ([A-Za-z_][\w.-]*) [ \t]*
    (?: (=|:(?=[ \t]|$)) [ \t]* ( "(?:\\.|[^"\\])*" | '[^']*' | [^\n"'][^\n]* | ) )? [ \t]* (?:\n|$)""",
    re.DOTALL | re.MULTILINE,
)


def parse(_path: str, text: str) -> Document:
    """Return the variables; a quoted one may span several lines, and one without `=` has no value.

    A line with spaces around its sign, or with a colon, is a value as a whole: shells, Compose and `docker --env-file`
    read it differently.
    """
    pairs: list[tuple[str, Bare]] = []
    place = 0
    while place < len(text):
        if match := NOTHING.match(text, place):
            if match.end() == place:
                break
        elif match := ENTRY.match(text, place):
            line = re.sub(r"^[ \t]*(?:export[ \t]+)?", "", match[0].removesuffix("\n"))
            name = match[1]
            value = line.removeprefix(f"{name}=")
            # What could be taken for such a line is one, too.
            plain = value != line and not value.startswith((" ", "\t", name))
            pairs.append(
                (name, Bare((unquoted(value) if plain else line) if match[2] else "(no value)"))
            )
        else:
            raise Uncertain("has a line that is not a variable's")
        place = match.end()
    # A value that refers to another must come after it.
    in_order = any({"$", "`"} & {*value.text} for _, value in pairs)
    return document([("", Pairs(pairs, ordered=in_order))] if pairs else [])


def unquoted(value: str) -> str:
    """Return a value without quotes that make no difference to any program that reads it."""
    match = re.fullmatch(r"([\"'])([\w.,:/@%+=-]*)\1", value)
    return match[2] if match else value
