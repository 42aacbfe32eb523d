"""A template: its files at a commit, and the one way to a render of it."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from drydock import record
from drydock.answers import Resolved
from drydock.cache import default_cache
from drydock.record import Record
from drydock.render import rendered
from drydock.source import Source
from drydock.tree import Tree

# Trees that are kept: those of the commits that are compared, and of the one that a project was made from.
KEPT = 4


class Template:
    """A folder of a source, which may have been another one at other commits. With `hooks`, a render runs its code."""

    def __init__(self, source: Source, directory: str | None, *, hooks: bool = False) -> None:
        self.source, self.directory, self.hooks = source, directory, hooks
        self.tree = lru_cache(KEPT)(lambda commit: source.tree(commit, directory))
        self.describe, self.date = cache(source.describe), cache(source.date)
        self.others = cache(lambda other: Template(source, other, hooks=hooks))

    def at(self, directory: str | None) -> "Template":
        """Return the template as another folder of the same source."""
        return self if directory == self.directory else self.others(directory)

    def render(
        self,
        commit: str,
        recorded: Mapping[str, Any],
        *,
        extra: Mapping[str, Any],
        given: Mapping[str, str] | None = None,
        partial: bool = False,
    ) -> tuple[Tree, Resolved]:
        """Return the project's files at a commit, without a record, and the variables they were rendered with.

        The arguments, and the errors, are those of `drydock.render.rendered`.
        """
        tree, resolved = rendered(
            self.tree(commit),
            recorded,
            where=f"{self.source.url} at {self.describe(commit)}",
            extra=extra,
            given=given,
            hooks=self.hooks,
            history=lambda folder: self.source.add_history(folder, commit),
            cache=default_cache(),
            partial=partial,
        )
        tree.pop(record.NAME, None)
        return tree, resolved

    def render_record(
        self,
        then: Record,
        commit: str,
        *,
        given: Mapping[str, str] | None = None,
        partial: bool = False,
    ) -> tuple[Tree, Resolved]:
        """Return what `render` does for the folder and the answers of a record, in the surroundings that it tells of."""
        recorded, extra = {**then.answers, **then.private}, then.surroundings(commit)
        template = self.at(then.directory)
        return template.render(commit, recorded, extra=extra, given=given, partial=partial)
