"""Update a project to its template's newest version: merge the changes since the record into its files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from drydock import project, record
from drydock.errors import DrydockError
from drydock.inspect import Inspection
from drydock.merge import Fate, Outcome, merge
from drydock.moved import moved_here
from drydock.renames import with_names
from drydock.tree import File, Tree, crlf, in_crlf, is_at
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
    renames = inspection.renames
    wanted = chosen(files, {**base, **theirs})
    if wanted is not None:
        renames = {old: new for old, new in renames.items() if {old, new} & wanted}
        wanted |= {*renames, *renames.values()}
    base, theirs = (
        {path: file for path, file in tree.items() if not inspection.policy.is_ignored(path)}
        for tree in (base, theirs)
    )
    if wanted is not None:
        # Everything else is treated as if the template had not changed it.
        rest = {path: file for path, file in base.items() if path not in wanted}
        theirs = {path: file for path, file in theirs.items() if path in wanted} | rest
    ours = project.read(folder, {**base, **theirs}, {**theirs, **base})
    pending = {new: old for old, new in renames.items() if old in ours}
    base, ours = with_names(base, renames), with_names(ours, renames)
    gone = {*base} - {*ours}
    others: Tree = {}
    moves: dict[str, str] = {}
    if gone:
        known = {*base, *theirs, *renames}
        tracked = [path for path in WorkTree(folder).tracked() if path not in known]
        # A file that moved is no link, and a link of the project's own may lead anywhere.
        movable = [path for path in tracked if not (folder / path).is_symlink()]
        found = project.read(folder, movable, partial=True)
        others = {path: file for path, file in found.items() if not file.unknown}
        before = {new: old for old, new in renames.items()}
        moves = moved_here(folder, base, ours, others, before, inspection.policy)
    outcomes = with_renames(merge(base, ours, theirs, others, moves), ours, pending)
    return Plan(outcomes=tuple(outcomes), record=new_record(inspection, folder, wanted, moved))


def with_renames(outcomes: list[Outcome], ours: Tree, pending: Mapping[str, str]) -> list[Outcome]:
    """Return the outcomes of a merge together with those of files that it does not know to have an old name here.

    `pending` maps the new names, which `ours` has, to the old ones.
    """
    result = [replace(outcome, source=pending.get(outcome.path)) for outcome in outcomes]
    same = {*pending} - {outcome.path for outcome in outcomes}
    result += [
        Outcome(path=path, fate=Fate.RENAMED, file=ours[path], source=pending[path])
        for path in sorted(same)
    ]
    # Last, because a new file takes its mode and its ends of lines from the old one.
    old = sorted(pending.values())
    return [*result, *(Outcome(path=path, fate=Fate.REMOVED, file=None) for path in old)]


def chosen(files: Iterable[str], known: Mapping[str, File]) -> set[str] | None:
    """Return the paths that files and folders stand for; None for all, as if none was named."""
    names = [*files]
    if not names or "." in names:
        return None
    matching = {name: {path for path in known if is_at(path, name)} for name in names}
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
            checkout=inspection.follows,
            directory=inspection.directory,
            answers=inspection.recordable,
            taken={},
        )
    taken = {**inspection.record.taken, **dict.fromkeys(sorted(wanted), inspection.newest.sha)}
    return record.updated(text, taken=taken)


def apply(plan: Plan, folder: Path) -> None:
    """Write what a plan says, the record last; DrydockError if that would lose something."""
    tree = WorkTree(folder)
    with tree.alone():
        apply_alone(plan, folder, tree)


def apply_alone(plan: Plan, folder: Path, tree: WorkTree) -> None:
    """Do what `apply` does while no other drydock writes to the project."""
    changes = [
        Change(path=outcome.path, file=outcome.file, stages=outcome.stages, source=outcome.source)
        for outcome in plan.outcomes
        if outcome.fate is not Fate.KEPT_DELETED
    ]
    untouched = {outcome.path for outcome in plan.outcomes if outcome.fate is Fate.UPDATED}
    tree.check_committed([*(change.path for change in changes), record.NAME], untouched)
    for path in (change.source or change.path for change in changes if change.file):
        # In git, a link and a changed file conflict: neither says what becomes of the other.
        if (folder / path).is_symlink():
            raise DrydockError(
                f"{path}: is a link here, but the template has changed the file. Put a file in its place, or leave it "
                f"out: {project.ignore_entry(path)}."
            )
    old, data = (folder / record.NAME).read_bytes(), plan.record.encode()
    new = File(data=in_crlf(data) if crlf(old) else data)
    if old != new.data:
        changes.append(Change(path=record.NAME, file=new, stages={}))
    if changes:
        tree.apply(changes)
