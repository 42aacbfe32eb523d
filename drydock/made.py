"""What a template's hooks did, learned from the project's own history: no hook is run.

Files that hooks remove, write or change differ from the render from the moment a project is generated. The
commit that added the project has them as they were then. If a hook has made that commit itself, it came before the record.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drydock import record
from drydock.errors import DrydockError
from drydock.record import Record
from drydock.source.git import contents_of, entries_of, git
from drydock.tree import File, Tree

Render = Callable[[Record], Tree]


@dataclass(frozen=True, kw_only=True)
class Made:
    """The files that hooks made different from the render, as they were then; None if removed.

    `reason` says why nothing is known, if so.
    """

    files: dict[str, File | None]
    reason: str | None = None


def inspect_history(project: Path, base: Tree, known: Record, hooks: Tree, render: Render) -> Made:
    """Return what hooks did to a project; `base` is the render of its record, and `hooks` are the template's.

    Two commits tell: the one that made the project, and the last that wrote the record's commit. In the
    latter, only files that are new in the template count: earlier differences may be the team's own.
    """
    if ask(project, "rev-parse", "--is-inside-work-tree") != "true":
        return Made(files={}, reason="the project is not in a git repository")
    if ask(project, "rev-parse", "--is-shallow-repository") == "true":
        return Made(files={}, reason="its clone is shallow (fetch-depth: 0 gets the whole history)")
    added = ask(project, "log", "--diff-filter=A", "--format=%H", "--", record.NAME).split()
    before = f"{added[-1]}^" if added else "HEAD"
    is_older = 2 * len(tracked(project, before) & {*base}) > len(base)
    if is_older and is_by_hook(project, before, hooks):
        first = before
    elif not added:
        return Made(files={}, reason=f"{record.NAME} was never committed")
    elif is_older:
        return Made(files={}, reason="the project is older than its record")
    else:
        first = added[-1]
    start = record_at(project, added[-1]) if added else known
    if start is None:
        return Made(files={}, reason=f"{record.NAME} cannot be read in the commit that added it")
    try:
        return inspect_commits(project, base, known, start, first, render)
    except DrydockError as error:
        return Made(files={}, reason=str(error).rstrip("."))


def inspect_commits(
    project: Path, base: Tree, known: Record, start: Record, first: str, render: Render
) -> Made:
    """Return what hooks did, as the first commit of a project and that of its last update tell.

    DrydockError where the template's commits of that time cannot be rendered any more.
    """
    original = base if same(start, known) else render(start)
    then = files_at(project, first, {*original})
    files: dict[str, File | None] = {
        path: then.get(path)
        for path, file in original.items()
        # If the template has changed a file since, what the hook would make of it is unknown.
        if then.get(path) != file and (path not in then or base.get(path) == file)
    }
    if original is base:
        return Made(files=files)
    last = ask(project, "log", "-n1", "--format=%H", f"-S{known.commit}", "--", record.NAME)
    earlier = record_at(project, f"{last}^") if last else None
    if earlier:
        previous = original if same(earlier, start) else render(earlier)
        new = {*base} - {*previous}
        now = files_at(project, last, new)
        files |= {path: now.get(path) for path in new if now.get(path) != base[path]}
    return Made(files=files)


def is_by_hook(project: Path, commit: str, hooks: Tree) -> bool:
    """Tell whether a hook has committed the project: the only commit until then has a message that a hook has.

    A message of one word, such as "init", may be in a hook for another reason.
    """
    if ask(project, "rev-list", "--count", commit, "--", ".") != "1":
        return False
    message = ask(project, "log", "-n1", "--format=%s", commit, "--", ".")
    quoted = re.compile(rb"[\"']%b\\?[\"']" % re.escape(message.encode()))
    return " " in message and any(quoted.search(file.data) for file in hooks.values())


def same(record: Record, other: Record) -> bool:
    """Tell whether two records have the same commit and answers."""
    return (record.commit, record.answers) == (other.commit, other.answers)


def ask(project: Path, *arguments: str) -> str:
    """Run git in a project; return what it printed, or nothing if it failed."""
    result = git(project, *arguments, check=False)
    return "" if result.returncode else result.stdout.decode(errors="replace").strip()


def record_at(project: Path, commit: str) -> Record | None:
    """Return the record as it was in a commit; None if there was no readable one."""
    text = ask(project, "show", f"{commit}:./{record.NAME}")
    try:
        return record.loads(text) if text else None
    except DrydockError:
        return None


def listed(project: Path, commit: str) -> dict[str, tuple[str, str]]:
    """Return the mode and object of each file of a commit, below the project's folder."""
    return entries_of(git(project, "ls-tree", "-r", "-z", commit, check=False).stdout)


def tracked(project: Path, commit: str) -> set[str]:
    """Return the paths of a commit's files; none if there is no such commit."""
    return {*listed(project, commit)}


def files_at(project: Path, commit: str, paths: set[str]) -> Tree:
    """Return those of the paths that were files in a commit."""
    entries = {
        path: entry
        for path, entry in listed(project, commit).items()
        if path in paths and entry[0].startswith("100")
    }
    names = "\n".join(sha for _, sha in entries.values()).encode()
    objects = contents_of(git(project, "cat-file", "--batch", stdin=names).stdout)
    return {
        path: File(data=objects[sha], executable=mode == "100755")
        for path, (mode, sha) in entries.items()
    }
