"""One look at a project: its record, its template at two commits, and what lies between them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from drydock import policy, project, record, render
from drydock.cache import default_cache
from drydock.compare import Comparison, compare
from drydock.record import Record
from drydock.source import Source, open_source
from drydock.tree import Tree


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user said.

    `to` is the commit, tag or branch to compare with; None is the newest of what was checked out.
    `given` are answers for it, other than the recorded ones.
    """

    folder: Path
    template: str | None = None
    to: str | None = None
    given: Mapping[str, str] | None = None
    offline: bool = False
    hooks: bool = False
    progress: Callable[[str], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit of the template: its full name, and one for people."""

    sha: str
    label: str
    date: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was found: the three trees, and the comparison of them.

    `behind` is the number of commits from the recorded to the newest one, `ahead` that of the
    commits that only the recorded one has. `notes` are sentences about the answers.
    """

    record: Record
    url: str
    recorded: Commit
    newest: Commit
    behind: int
    ahead: int
    base: Tree
    upstream: Tree
    here: Tree
    comparison: Comparison
    notes: tuple[str, ...]


def commit(source: Source, sha: str) -> Commit:
    """Return a commit of a source with what people call it."""
    return Commit(sha=sha, label=source.describe(sha), date=source.date(sha))


def look(options: Options) -> Look:
    """Look at a project; DrydockError if its record, its template or its files cannot be read."""
    project.check_no_merge(options.folder)
    known = record.read(options.folder)
    rules = policy.read(options.folder, known.skip)
    source = open_source(
        options.template or known.template, offline=options.offline, progress=options.progress
    )
    old = source.resolve(known.commit)
    new = source.resolve(options.to or known.checkout)
    behind, ahead = source.commits_between(old, new)

    def rendered(sha: str, given: Mapping[str, str] | None) -> tuple[Tree, tuple[str, ...]]:
        tree, resolved = render.rendered(
            source.tree(sha, known.directory),
            known.answers,
            where=f"{source.url} at {source.describe(sha)}",
            extra={"_template": known.template, "_commit": sha, "_checkout": known.checkout},
            given=given,
            hooks=options.hooks,
            cache=default_cache(),
        )
        tree.pop(record.NAME, None)
        return tree, resolved.notes

    base, _ = rendered(old, None)
    upstream, notes = rendered(new, options.given) if new != old or options.given else (base, ())
    here = project.read(
        options.folder, [path for path in {**base, **upstream} if not rules.is_ignored(path)]
    )
    return Look(
        record=replace(known, template=source.url),
        url=source.url,
        recorded=commit(source, old),
        newest=commit(source, new),
        behind=behind,
        ahead=ahead,
        base=base,
        upstream=upstream,
        here=here,
        comparison=compare(base, upstream, here, rules),
        notes=notes,
    )
