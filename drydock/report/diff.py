"""Changed lines to read. Values that look secret are masked."""

import re
from collections.abc import Iterable, Iterator

import click

from drydock.lines import Matcher
from drydock.secrets import PRIVATE_KEY, masked_lines
from drydock.tree import Tree

UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def diff(before: Tree, after: Tree, paths: Iterable[str], colour: bool = False) -> Iterator[str]:
    """Yield the lines of a unified diff to read; values that look secret are masked."""
    for path in paths:
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        name = visible(path)
        sides = (f"a/{name}" if old else "/dev/null", f"b/{name}" if new else "/dev/null")
        if old and new and old.executable != new.executable:
            yield f"{name}: now {'executable' if new.executable else 'not executable'}\n"
        texts = [file.text if file else "" for file in (old, new)]
        if any(PRIVATE_KEY in (text or "") for text in texts):
            yield f"{name}: holds a private key, so it is not shown\n"
            continue
        if texts[0] is None or texts[1] is None:
            yield f"Binary files {sides[0]} and {sides[1]} differ\n"
            continue
        for line in unified(texts[0], texts[1], sides):
            shape = visible(line.rstrip("\r\n"))
            head = line.startswith(("--- ", "+++ "))
            tint = {"+": "green", "-": "red", "@": "cyan"}.get(line[0])
            if colour and (head or tint):
                shape = click.style(shape, fg=None if head else tint, bold=head)
            yield f"{shape}\n"
            if not line.endswith("\n"):
                yield "\\ No newline at end of file\n"


def visible(text: str) -> str:
    """Return text in which a terminal finds nothing to obey: no control character, nor one that turns text around."""
    return UNSAFE.sub(lambda match: repr(match[0])[1:-1], text)


def unified(old: str, new: str, names: tuple[str, str]) -> Iterator[str]:
    """Yield the lines of a unified diff without secrets.

    Lines are compared as they are, and shown masked: a secret that changed is a change of *** to ***.
    """
    sides = [text.splitlines(keepends=True) for text in (old, new)]
    shown = [list(masked_lines(lines)) for lines in sides]
    for group in Matcher(*sides).get_grouped_opcodes(3):
        if names[0]:
            yield f"--- {names[0]}\n"
            yield f"+++ {names[1]}\n"
            names = ("", "")
        first, last = group[0], group[-1]
        spans = [span(first[1], last[2]), span(first[3], last[4])]
        yield f"@@ -{spans[0]} +{spans[1]} @@\n"
        for tag, start, end, other, other_end in group:
            if tag == "equal":
                yield from (f" {line}" for line in shown[0][start:end])
                continue
            yield from (f"-{line}" for line in shown[0][start:end])
            yield from (f"+{line}" for line in shown[1][other:other_end])


def span(start: int, end: int) -> str:
    """Return a range of lines as a unified diff names it."""
    length = end - start
    first = start + 1 if length else start
    return str(first) if length == 1 else f"{first},{length}"
