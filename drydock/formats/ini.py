"""INI in its dialects: Python's configparser, uWSGI, MySQL's option files, .editorconfig."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from drydock.formats.document import Document, Uncertain, unix
from drydock.formats.nested import Bare, Pairs, document

# As configparser reads it: a colon may replace the equals sign, and a value may continue on the next line.
PYTHON = (
    "setup.cfg", "tox.ini", "pytest.ini", "mypy.ini", "alembic.ini", "pip.conf", "pip.ini", "logging.ini",
    ".flake8", ".coveragerc", ".isort.cfg", ".pylintrc", ".bumpversion.cfg", "supervisord.conf",
)  # fmt: skip


def parse(path: str, text: str) -> Document:
    """Return the document of INI; keys may repeat, and values may continue on indented lines.

    Uncertain for a text that need not be INI: other formats, such as HAProxy's, have files of the same names.
    """
    name = path.rpartition("/")[2]
    python = any(fnmatchcase(name, pattern) for pattern in PYTHON)
    # uWSGI acts in the order it reads; so do others if a key occurs twice, or refers to another.
    uwsgi = "uwsgi" in path
    in_order = uwsgi or (not python and "$" in text)
    sign = "[=:]" if python else "="
    mysql = name.endswith(".cnf")
    may_lack_value = uwsgi or mysql
    # uWSGI takes an option without a value for one that is true.
    bare = Bare("true" if uwsgi else "(no value)")
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
        if len(sections) == 1 and name != ".editorconfig":
            raise Uncertain("has a line above the first section")
        if re.search(r"\s", key) or not (rest or may_lack_value):
            raise Uncertain("has a line that is no key and its value")
        open_value = [rest[0]] if rest else None
        sections[-1][1].append((key, open_value))
    top, *named = [
        (
            section,
            Pairs(
                [(key, bare if lines is None else value_of(lines)) for key, lines in keys],
                ordered=in_order or (mysql and repeats(key for key, _ in keys)),
            ),
        )
        for section, keys in sections
    ]
    pairs = [*top[1].pairs, *named]
    # Where several sections apply, by a pattern or because a program reads more than one, the last one wins.
    sections_in_order = not python or any(set("*?[{") & {*section} for section, _ in sections)
    return document([("", Pairs(pairs, ordered=sections_in_order))] if pairs else [])


def repeats(names: Iterable[str]) -> bool:
    """Tell whether options of MySQL are written in two ways, such as `log-bin` and `skip_log_bin`: the last one wins."""
    prefix = r"^(loose|skip|enable|disable|maximum)_"
    options = [re.sub(prefix, "", re.sub(prefix, "", name.replace("-", "_"))) for name in names]
    return len({*options}) < len(options)


def value_of(lines: list[str]) -> Bare:
    """Return a value of several lines."""
    return Bare(" ⏎ ".join(lines).rstrip(" ⏎").removeprefix(" ⏎ "))
