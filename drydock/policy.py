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
`[tool.cruft]` of pyproject.toml, is not compared either; those patterns are cruft's. A template may ship a policy, as
`_drydock` in its cookiecutter.json: it counts unless the project's own says otherwise.
"""

import datetime
import fnmatch
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from drydock.errors import DrydockError
from drydock.tree import text_at

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FILE, SHARED, TABLE = ".drydock.toml", "pyproject.toml", "tool.drydock"
OWN = f"{SHARED}: {TABLE}"
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

    `skip` are what cruft skips, also ignored; nobody is told if they match nothing, nor if the template's entries,
    `shipped`, do. `renamed` are the old paths of files that the template has renamed: their patterns still count.
    """

    yours: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    ignore_keys: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    shipped: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)

    def names(self, path: str) -> tuple[str, ...]:
        """Return a file's path, and its old one if the template has renamed it."""
        return (path, self.renamed[path]) if path in self.renamed else (path,)

    def is_yours(self, path: str) -> bool:
        """Tell whether a file belongs to the project's team once it is generated."""
        return any(matches(self.yours, name) for name in self.names(path))

    def is_ignored(self, path: str) -> bool:
        """Tell whether a file is not compared."""
        return any(
            matches(self.ignore, name) or is_skipped(self.skip, name) for name in self.names(path)
        )

    def ignores_keys_of(self, path: str) -> bool:
        """Tell whether a key of a file may be one that does not count, without looking at the file."""
        return bool(self.ignore_keys) or path in (FILE, SHARED)

    def ignoring(self, path: str, key: str) -> str | None:
        """Return the entry of `ignore_keys` that makes a key of a file not count.

        The policy itself never counts, or what is accepted there would be the next thing to accept.
        """
        if is_of_policy(path, key):
            return OWN
        for entry in self.ignore_keys:
            pattern, _, top = entry.partition(": ")
            if is_below(key, top) and any(matches((pattern,), name) for name in self.names(path)):
                return entry
        return None

    def unmatched(self, paths: Iterable[str], used_keys: set[str]) -> list[str]:
        """Return the project's ignore entries that match none of the paths or keys."""
        names = [name for path in paths for name in self.names(path)]
        files = [
            pattern
            for pattern in self.ignore
            if not any(matches((pattern.removeprefix("!"),), name) for name in names)
        ]
        entries = files + [entry for entry in self.ignore_keys if entry not in used_keys]
        return [entry for entry in entries if entry not in self.shipped]

    def above(self, shipped: "Policy") -> "Policy":
        """Return the policy with what a template ships below it: a later pattern takes precedence."""
        return replace(
            self,
            yours=(*shipped.yours, *self.yours),
            ignore=(*shipped.ignore, *self.ignore),
            ignore_keys=(*self.ignore_keys, *shipped.ignore_keys),
            shipped=tuple(
                {*shipped.ignore, *shipped.ignore_keys} - {*self.ignore, *self.ignore_keys}
            ),
        )


def is_below(key: str, top: str) -> bool:
    """Tell whether a key is the other one, or below it."""
    return key == top or key.startswith((f"{top}.", f"{top}["))


def is_of_policy(path: str, key: str) -> bool:
    """Tell whether a key of a file is of the policy, which is the project's own wherever the file is from."""
    return path == FILE or (path == SHARED and is_below(key, TABLE))


def literal(path: str) -> str:
    """Return the pattern of .gitignore that only one path matches."""
    return "/" + re.sub(r"[\\*?\[]|\s$", r"\\\g<0>", path)


def literal_key(path: str, key: str) -> str:
    """Return the entry of `ignore_keys` that only a key of one file matches, and what is below it."""
    # A blank that is escaped cannot be taken for the one before the key.
    pattern = re.sub(r"(?<!\\) ", r"\\ ", literal(path))
    return f"{pattern}: {key}"


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
    name, pyproject = project / FILE, project / SHARED
    tool = toml(pyproject).get("tool", {})
    tool = tool if isinstance(tool, dict) else {}
    table: object = toml(name)
    if not name.exists():
        name, table = pyproject, tool.get("drydock", {})
    if not isinstance(table, dict):
        raise DrydockError(f"{name}: tool.drydock is not a table.")
    accepted = table.pop("accepted", [])
    return replace(
        patterns_of(table, str(name), [*LISTS, "accepted"]),
        skip=(*skip, *skip_of_cruft(tool.get("cruft"), pyproject)),
        accepted=tuple(acceptances(accepted, name)),
    )


def shipped_policy(variables: Mapping[str, Any], where: str) -> Policy:
    """Return the policy that a template ships, in its variable `_drydock`, or `__drydock` with answers in it.

    DrydockError if it has anything but lists of patterns.
    """
    name = next((name for name in ("_drydock", "__drydock") if name in variables), None)
    table = variables[name] if name else {}
    if not isinstance(table, dict):
        raise DrydockError(f"{where}: {name} is not an object with {', '.join(LISTS)}.")
    return patterns_of(table, f"{where}: {name}", LISTS)


def patterns_of(table: Mapping[str, Any], name: str, known: Iterable[str]) -> Policy:
    """Return the policy of a table's lists; DrydockError for an entry that no policy has."""
    for key, value in table.items():
        if key not in LISTS:
            raise DrydockError(f"{name}: {key} is not known. A policy has {', '.join(known)}.")
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise DrydockError(f"{name}: {key} is not a list of strings.")
    for entry in table.get("ignore-keys", []):
        if ": " not in entry:
            raise DrydockError(f'{name}: ignore-keys: {entry!r} is not in the form "FILE: KEY".')
    yours, ignore, ignore_keys = (tuple(table.get(key, [])) for key in LISTS)
    return Policy(yours=yours, ignore=ignore, ignore_keys=ignore_keys)


def toml(name: Path) -> dict[str, object]:
    """Return what a TOML file holds, nothing if it does not exist; DrydockError if it cannot be read."""
    try:
        return tomllib.loads(text_at(name))
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
