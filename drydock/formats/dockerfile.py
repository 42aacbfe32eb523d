"""Dockerfiles: all order counts, and so does every space that a shell may see."""

import re
from collections.abc import Iterator
from dataclasses import replace

from drydock.formats.document import Document, Leaf, Uncertain, ordered, squeezed

VARIABLES = ("ENV", "LABEL", "ARG")
HEREDOC = re.compile(r"\d*<<(-?)([\"']?)([A-Za-z_]\w*)\2")


def parse(_path: str, text: str) -> Document:
    """Return the instructions, below the name of their stage, with their here-documents."""
    lines = iter(text.split("\n"))
    leaves: list[Leaf] = []
    escape = "\\"
    stage, number, first = "", 0, True
    for line in lines:
        if first and (
            match := re.fullmatch(r"#\s*(syntax|escape|check)\s*=\s*(.+?)\s*", line, re.I)
        ):
            leaves.append(Leaf(f"# {match[1].lower()}", match[2]))
            escape = match[2] if match[1].lower() == "escape" else escape
            continue
        first = False
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        whole = continued(line, lines, escape)
        text = squeezed(whole)
        word, _, rest = text.partition(" ")
        instruction = word.upper()
        heredocs: list[re.Match[str]] = []
        if instruction in ("RUN", "COPY", "ADD", "ONBUILD"):
            heredocs = [*filter(None, map(HEREDOC.fullmatch, rest.split()))]
        if len(heredocs) != len(re.findall(r"(?<!<)<<(?!<)", rest)):
            raise Uncertain("may have a here-document in another form")
        for heredoc in heredocs:
            rest = f"{rest}\n{body(lines, heredoc)}"
        if instruction == "FROM":
            name = re.search(r"(?i) as (\S+)$", rest)
            stage, number = name[1] if name else str(number), number + 1
        # `ENV NAME two  words` keeps the spaces of its value.
        plain = re.sub(r"^\s*\S+\s+(\S+)\s+", r"\1 ", whole).strip()
        leaves += instructions(f"{stage}.{instruction}".lstrip("."), instruction, rest, plain)
    document = ordered(leaves)
    # Where a group of variables begins decides which of them see each other; there is nothing to show.
    shown = tuple(leaf for leaf in leaves if leaf.value or not leaf.key.endswith(VARIABLES))
    return replace(document, leaves=shown)


def continued(line: str, lines: Iterator[str], escape: str) -> str:
    """Return an instruction with its continuation lines, without the comments between them."""
    result = ""
    while True:
        if match := re.fullmatch(rf"(.*){re.escape(escape)}[ \t]*", line):
            result += match[1]
        else:
            return result + line
        for line in lines:
            if line.strip() and not line.lstrip().startswith("#"):
                break
        else:
            return result


def body(lines: Iterator[str], heredoc: re.Match[str]) -> str:
    """Return a here-document to its end; ValueError if it has none."""
    document: list[str] = []
    for line in lines:
        if (line.lstrip("\t") if heredoc[1] else line) == heredoc[3]:
            return "\n".join([*document, line])
        document.append(line)
    raise ValueError(f"the here-document {heredoc[3]} does not end")


def instructions(path: str, instruction: str, rest: str, plain: str) -> Iterator[Leaf]:
    """Yield an instruction; for variables, each of them, and before them where they begin.

    `plain` is what is after the instruction with all its spaces.
    """
    variables = re.findall(r"([\w.-]+)=((?:\"(?:\\.|[^\"\\])*\"|'[^']*'|\\.|[^\s\"'\\])*)", rest)
    if instruction in VARIABLES and variables and rest == " ".join(map("=".join, variables)):
        yield Leaf(path, "")
        for name, value in variables:
            yield Leaf(f"{path}.{name}" if "." not in name else f'{path}."{name}"', value)
    else:
        yield Leaf(path, plain if instruction in ("ENV", "LABEL") else rest)
