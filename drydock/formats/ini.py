"""INI in its dialects: Python's configparser, uWSGI, MySQL's option files, .editorconfig."""

import re
from fnmatch import fnmatchcase

from drydock.formats.document import Document, unix
from drydock.formats.nested import Bare, Pairs, document

# As configparser reads it: a colon may replace the equals sign, and a value may continue on the next line.
PYTHON = (
    "setup.cfg", "tox.ini", "pytest.ini", "mypy.ini", "alembic.ini", "pip.conf", "pip.ini", "logging.ini",
    ".flake8", ".coveragerc", ".isort.cfg", ".pylintrc", ".bumpversion.cfg", "supervisord.conf",
)  # fmt: skip


def parse(path: str, text: str) -> Document:
    """Return the document of INI; keys may repeat, and values may continue on indented lines."""
    name = path.rpartition("/")[2]
    # uWSGI acts in the order it reads; so do others if a key occurs twice.
    in_order = "uwsgi" in path
    sign = "[=:]" if any(fnmatchcase(name, pattern) for pattern in PYTHON) else "="
    sections: list[tuple[str, list[tuple[str, list[str] | None]]]] = [("", [])]
    open_value: list[str] | None = None
    for line in unix(text).split("\n"):
        stripped = line.strip()
        if stripped.startswith(("#", ";")):
            continue
        if not stripped:
            if open_value is not None:
                open_value.append("")
            continue
        if open_value is not None and line[0] in " \t":
            open_value.append(stripped)
            continue
        open_value = None
        if match := re.fullmatch(r"\[(.*?)\](?:\s*[#;].*)?", stripped):
            sections.append((match[1], []))
            continue
        key, *rest = re.split(rf"\s*{sign}\s*", stripped, maxsplit=1)
        open_value = [rest[0]] if rest else None
        sections[-1][1].append((key, open_value))
    top, *named = [
        (section, Pairs([(key, value_of(lines)) for key, lines in keys], ordered=in_order))
        for section, keys in sections
    ]
    pairs = [*top[1].pairs, *named]
    return document([("", Pairs(pairs, ordered=in_order))] if pairs else [])


def value_of(lines: list[str] | None) -> str | Bare:
    """Return a value of several lines; a key may have no value, which is not an empty one."""
    return (
        Bare("true") if lines is None else Bare(" ⏎ ".join(lines).rstrip(" ⏎").removeprefix(" ⏎ "))
    )
