"""Which files the template owns, which are yours once generated, and what is not compared.

In `.drydock.toml`, or in `[tool.drydock]` of pyproject.toml:

    yours = ["README.md", "shop/"]                  # changes here are not drift
    ignore = ["docs/"]                              # not compared
    ignore-keys = ["docker-compose.yml: services.backend.deploy.resources"]

    [[accepted]]                                    # `drydock accept` writes these
    file = "uwsgi.ini"
    reason = "why"
    hash = "..."

Patterns are those of .gitignore. Without any, the template owns every file. What cruft skips, in the record or in
`[tool.cruft]` of pyproject.toml, is not compared either; those patterns are cruft's.
"""

import datetime
import fnmatch
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from drydock.errors import DrydockError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

LISTS = ("yours", "ignore", "ignore-keys")


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """An accepted deviation: of a file, or of a key and all below it.

    `hash` is that of what the template and the project had there; `until` is the last day.
    """

    file: str
    key: str | None
    reason: str
    until: datetime.date | None
    hash: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Patterns of files, and of keys: `FILE PATTERN: KEY`, with all below the key.

    `skip` are what cruft skips, also ignored; nobody is told if they match nothing.
    """

    yours: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    ignore_keys: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    accepted: tuple[Acceptance, ...] = ()

    def is_yours(self, path: str) -> bool:
        """Tell whether a file belongs to the project's team once it is generated."""
        return matches(self.yours, path)

    def is_ignored(self, path: str) -> bool:
        """Tell whether a file is not compared."""
        return matches(self.ignore, path) or is_skipped(self.skip, path)

    def ignoring(self, path: str, key: str) -> str | None:
        """Return the entry of `ignore_keys` that makes a key of a file not count."""
        for entry in self.ignore_keys:
            pattern, _, name = entry.partition(": ")
            if is_below(key, name) and matches((pattern,), path):
                return entry
        return None

    def unmatched(self, paths: Iterable[str], used_keys: set[str]) -> list[str]:
        """Return the ignore entries that match none of the paths or keys."""
        paths = list(paths)
        files = [
            pattern
            for pattern in self.ignore
            if not any(matches((pattern,), path) for path in paths)
        ]
        return files + [entry for entry in self.ignore_keys if entry not in used_keys]


def is_below(key: str, top: str) -> bool:
    """Tell whether a key is the other one, or below it."""
    return key == top or key.startswith((f"{top}.", f"{top}["))


def matches(patterns: tuple[str, ...], path: str) -> bool:
    """Tell whether a path is among patterns of .gitignore; DrydockError for one that git would not understand."""
    return bool(patterns) and compiled(patterns).match_file(path)


@cache
def compiled(patterns: tuple[str, ...]) -> "GitIgnoreSpec":
    """Return patterns of .gitignore, ready to be matched; DrydockError for one that is not in their form."""
    from pathspec import GitIgnoreSpec  # Slow to import, and not every policy has patterns.

    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error) as error:
            raise DrydockError(
                f"{pattern!r}: is not a pattern as in .gitignore ({error}). Correct it where it is: in "
                ".drydock.toml or pyproject.toml, or as `_by_hook` in the template."
            ) from None
    return GitIgnoreSpec.from_lines(patterns)


def is_skipped(skip: tuple[str, ...], path: str) -> bool:
    """Tell whether cruft would skip a path: it, or a folder above it, is one of the paths or matches a pattern.

    Only what has an asterisk is a pattern. Both start at the project's folder, and an asterisk stops at a slash.
    """
    parts = tuple(path.split("/"))
    return any(fits(parts_of(entry), parts, pattern="*" in entry) for entry in skip)


@cache
def parts_of(pattern: str) -> tuple[str, ...]:
    """Return the names of a path, without those that mean nothing."""
    return PurePosixPath(pattern).parts


def fits(pattern_parts: tuple[str, ...], parts: tuple[str, ...], *, pattern: bool) -> bool:
    """Tell whether the first parts of a path are those of a pattern, where `**` is any number of folders."""
    if not pattern_parts:
        return True
    first, *rest = pattern_parts
    if pattern and first == "**":
        return any(
            fits(tuple(rest), parts[skipped:], pattern=True) for skipped in range(len(parts))
        )
    if not parts:
        return False
    same = fnmatch.fnmatchcase(parts[0], first) if pattern else parts[0] == first
    return same and fits(tuple(rest), parts[1:], pattern=pattern)


def read_policy(project: Path, skip: Iterable[str] = ()) -> Policy:
    """Return the policy of a project's folder; `skip` is what its record skips.

    DrydockError for a file that is not TOML, or an unknown entry.
    """
    name, pyproject = project / ".drydock.toml", project / "pyproject.toml"
    tool = toml(pyproject).get("tool", {})
    tool = tool if isinstance(tool, dict) else {}
    table: object = toml(name)
    if not name.exists():
        name, table = pyproject, tool.get("drydock", {})
    if not isinstance(table, dict):
        raise DrydockError(f"{name}: tool.drydock is not a table.")
    for key, value in table.items():
        if key == "accepted":
            continue
        if key not in LISTS:
            known = ", ".join([*LISTS, "accepted"])
            raise DrydockError(f"{name}: {key} is not known. A policy has {known}.")
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise DrydockError(f"{name}: {key} is not a list of strings.")
    for entry in table.get("ignore-keys", []):
        if ": " not in entry:
            raise DrydockError(f'{name}: ignore-keys: {entry!r} is not in the form "FILE: KEY".')
    return Policy(
        yours=tuple(table.get("yours", [])),
        ignore=tuple(table.get("ignore", [])),
        skip=(*skip, *skip_of_cruft(tool.get("cruft"), pyproject)),
        ignore_keys=tuple(table.get("ignore-keys", [])),
        accepted=tuple(acceptances(table.get("accepted", []), name)),
    )


def toml(name: Path) -> dict[str, object]:
    """Return what a TOML file holds, nothing if it does not exist; DrydockError if it cannot be read."""
    try:
        return tomllib.loads(name.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DrydockError(f"{name}: cannot be read as TOML: {error}") from None


def skip_of_cruft(table: object, name: Path) -> list[str]:
    """Return what cruft's own table in pyproject.toml skips; DrydockError if that is not a list of strings."""
    skip = table.get("skip", []) if isinstance(table, dict) else []
    if not isinstance(skip, list) or not all(isinstance(item, str) for item in skip):
        raise DrydockError(f"{name}: tool.cruft.skip is not a list of strings.")
    return skip


def acceptances(entries: object, name: Path) -> Iterator[Acceptance]:
    """Yield the accepted deviations of a policy; DrydockError for one that lacks something."""
    for entry in entries if isinstance(entries, list) else [None]:
        texts = entry if isinstance(entry, dict) else {}
        file, reason, value = (texts.get(key) for key in ("file", "reason", "hash"))
        key, until = texts.get("key"), texts.get("until")
        whole = isinstance(file, str) and isinstance(reason, str) and isinstance(value, str)
        if (
            not whole
            or not isinstance(key, str | None)
            or not isinstance(until, datetime.date | None)
        ):
            raise DrydockError(
                f"{name}: accepted: each entry needs a file, a reason and a hash, and may have a key and a date "
                "`until`. `drydock accept` writes them."
            )
        yield Acceptance(file=str(file), key=key, reason=str(reason), until=until, hash=str(value))
