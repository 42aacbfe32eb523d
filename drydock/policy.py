"""Which files the template owns, which are yours once generated, and what is not compared.

In `.drydock.toml`, or in `[tool.drydock]` of pyproject.toml:

    yours = ["README.md", "shop/"]                  # changes here are not drift
    ignore = ["docs/"]                              # not compared
    ignore-keys = ["docker-compose.yml: services.backend.deploy.resources"]

    [[accepted]]                                    # `drydock accept` writes these
    file = "uwsgi.ini"
    reason = "why"
    hash = "..."

Patterns are those of .gitignore. Without any, the template owns every file.
"""

import datetime
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pathspec import GitIgnoreSpec

from drydock.errors import DrydockError

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

    `skip` are the record's patterns, also ignored; nobody is told if they match nothing.
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
        return matches(self.ignore, path) or matches(self.skip, path)

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
        files = [one for one in self.ignore if not any(matches((one,), path) for path in paths)]
        return files + [entry for entry in self.ignore_keys if entry not in used_keys]


def is_below(key: str, top: str) -> bool:
    """Tell whether a key is the other one, or below it."""
    return key == top or key.startswith((f"{top}.", f"{top}["))


def matches(patterns: tuple[str, ...], path: str) -> bool:
    """Tell whether a path is among patterns of .gitignore; DrydockError for one that git would not understand."""
    return bool(patterns) and compiled(patterns).match_file(path)


@cache
def compiled(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    """Return patterns of .gitignore, ready to be matched; DrydockError for one that is not in their form."""
    for pattern in patterns:
        try:
            GitIgnoreSpec.from_lines([pattern])
        except (ValueError, re.error) as error:
            raise DrydockError(
                f"{pattern!r}: is not a pattern as in .gitignore ({error}). Correct it where it is: in `skip` of "
                ".cruft.json, in .drydock.toml, or in pyproject.toml."
            ) from None
    return GitIgnoreSpec.from_lines(patterns)


def read_policy(project: Path, skip: Iterable[str] = ()) -> Policy:
    """Return the policy of a project's folder; `skip` are the record's patterns.

    DrydockError for a file that is not TOML, or an unknown entry.
    """
    table: object = {}
    name = project / ".drydock.toml"
    try:
        table = tomllib.loads(name.read_text(encoding="utf-8"))
    except FileNotFoundError:
        name = project / "pyproject.toml"
        try:
            tool = tomllib.loads(name.read_text(encoding="utf-8")).get("tool", {})
            table = tool.get("drydock", {}) if isinstance(tool, dict) else {}
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise DrydockError(f"{name}: cannot be read as TOML: {error}") from None
    except (OSError, ValueError) as error:
        raise DrydockError(f"{name}: cannot be read as TOML: {error}") from None
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
        skip=tuple(skip),
        ignore_keys=tuple(table.get("ignore-keys", [])),
        accepted=tuple(acceptances(table.get("accepted", []), name)),
    )


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
