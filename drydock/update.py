"""Update a project to its template's newest version: merge the changes since the record into its files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from drydock import policy, project, record
from drydock.errors import DrydockError
from drydock.inspect import Inspection
from drydock.merge import Fate, Outcome, merge
from drydock.tree import File, Tree
from drydock.worktree import Change, WorkTree


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an update would do: the outcome of each file that changes, and the record's new text."""

    outcomes: tuple[Outcome, ...]
    record: str

    @property
    def conflicts(self) -> list[str]:
        """The files in which both sides changed the same lines."""
        return [outcome.path for outcome in self.outcomes if outcome.fate is Fate.CONFLICT]


def make_plan(
    inspection: Inspection, folder: Path, files: Iterable[str] = (), *, moved: bool = False
) -> Plan:
    """Return what an update of a project would do.

    `files` are the files and folders to update; none means all. `moved` says that the template is no longer
    where the record has it. DrydockError for a file that the template does not have.
    """
    base, theirs = inspection.rendered
    rules = policy.read_policy(folder, inspection.record.skip)
    wanted = chosen(files, {**base, **theirs})
    base, theirs = (
        {path: file for path, file in tree.items() if not rules.is_ignored(path)}
        for tree in (base, theirs)
    )
    if wanted is not None:
        # Everything else is treated as if the template had not changed it.
        rest = {path: file for path, file in base.items() if path not in wanted}
        theirs = {path: file for path, file in theirs.items() if path in wanted} | rest
    ours = project.read(folder, {**base, **theirs}, {**theirs, **base})
    gone = {*base} - {*ours}
    others: Tree = {}
    if gone:
        tracked = [path for path in WorkTree(folder).tracked() if path not in base]
        others = project.read(folder, [path for path in tracked if path not in theirs])
    outcomes = merge(base, ours, theirs, others)
    return Plan(outcomes=tuple(outcomes), record=new_record(inspection, folder, wanted, moved))


def chosen(files: Iterable[str], known: Mapping[str, File]) -> set[str] | None:
    """Return the paths that files and folders stand for; None for all."""
    names = [Path(name).as_posix().rstrip("/") for name in files]
    if not names:
        return None
    matching = {}
    for name in names:
        matching[name] = {path for path in known if path == name or path.startswith(f"{name}/")}
    unknown = [name for name, paths in matching.items() if not paths]
    if unknown:
        raise DrydockError(f"{', '.join(unknown)}: the template has no such file or folder.")
    return set().union(*matching.values())


def new_record(inspection: Inspection, folder: Path, wanted: set[str] | None, moved: bool) -> str:
    """Return the text of the record after an update; of some files only, if not all are wanted."""
    text = (folder / record.NAME).read_text(encoding="utf-8")
    if wanted is None:
        template = inspection.url if moved else None
        return record.updated(
            text,
            template=template,
            commit=inspection.newest.sha,
            answers=inspection.answers,
            taken={},
        )
    taken = {**inspection.record.taken, **dict.fromkeys(sorted(wanted), inspection.newest.sha)}
    return record.updated(text, taken=taken)


def apply(plan: Plan, folder: Path) -> None:
    """Write what a plan says, the record last; DrydockError if that would lose something."""
    tree = WorkTree(folder)
    if tree.is_waiting:
        raise DrydockError(
            f"{folder}: an update is unfinished. `drydock update --continue` finishes it once its conflicts "
            "are resolved; `drydock update --abort` undoes it."
        )
    changes = [
        Change(path=outcome.path, file=outcome.file, stages=outcome.stages)
        for outcome in plan.outcomes
        if outcome.fate is not Fate.KEPT_DELETED
    ]
    dirty = tree.dirty([*(change.path for change in changes), record.NAME])
    if dirty:
        raise DrydockError(
            f"{', '.join(dirty)}: would be changed, but has uncommitted changes. Commit them, or "
            "put them away with `git stash -u`; then try again."
        )
    new = File(data=plan.record.encode())
    if (folder / record.NAME).read_bytes() != new.data:
        changes.append(Change(path=record.NAME, file=new, stages={}))
    if changes:
        tree.apply(changes)
