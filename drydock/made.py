"""What a template's hooks did, learned from the project's own history: no hook is run.

Files that hooks remove, write or change differ from the render from the moment a project is generated. The
commit that added the project has them as they were then. If a hook has made that commit itself, it came before the record.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from drydock import record
from drydock.errors import DrydockError
from drydock.record import Record
from drydock.source.git import contents_of, entries_of, git
from drydock.tree import File, Tree, pointer, unix

Render = Callable[[Record], Tree]
# Every record of a repository.
RECORDS = f":(top,glob)**/{record.NAME}"


@dataclass(frozen=True, kw_only=True)
class Made:
    """The files that hooks made different from the render, as they were then; None if removed.

    `reason` says why nothing is known, if so.
    """

    files: dict[str, File | None]
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A time for which a project had one place in its repository.

    `folder` is that place, with a slash at its end, or empty for the top; `until` is the last commit of that time, and
    `added` the one that added the record there, if any did.
    """

    top: Path
    folder: str
    until: str
    added: str

    @property
    def record(self) -> str:
        """The path of the record."""
        return f"{self.folder}{record.NAME}"

    def log(self, commit: str, *options: str) -> str:
        """Return what git says of a commit and those before it, as far as they change the record."""
        return ask(self.top, "--literal-pathspecs", "log", *options, commit, "--", self.record)


def stay(top: Path, folder: str, until: str) -> Stay:
    """Return the time until a commit for which a project was in a folder."""
    result = Stay(top=top, folder=folder, until=until, added="")
    added = result.log(until, "--diff-filter=A", "--format=%H").split()
    return replace(result, added=added[-1]) if added else result


def stays(project: Path) -> Iterator[Stay]:
    """Yield where a project has been in its repository, the newest first; DrydockError if that is uncertain.

    A project is where its record is; one that was copied has been where the other one is.
    """
    top, folder = (
        ask(project, "rev-parse", option) for option in ("--show-toplevel", "--show-prefix")
    )
    place: Stay | None = stay(Path(top), folder, "HEAD")
    while place:
        yield place
        last, place = place, None
        if not last.added:
            break
        options = ["-r", "-z", "-C", "--find-copies-harder", "--diff-filter=CR", "--name-status"]
        parents = f"{last.added}^", last.added
        words = ask(last.top, "diff-tree", *options, *parents, "--", RECORDS).split("\0")
        for how, old, new in zip(words[::3], words[1::3], words[2::3], strict=False):
            before = old.removesuffix(record.NAME)
            if new == last.record and how.endswith("100"):
                place = stay(last.top, before, parents[0])
            elif new == last.record and how.startswith("R"):
                raise DrydockError(
                    f"the project may have been moved from {before or 'the top'} when {record.NAME} changed"
                )


def inspect_history(project: Path, base: Tree, known: Record, hooks: Tree, render: Render) -> Made:
    """Return what hooks did to a project; `base` is the render of its record, and `hooks` are the template's.

    Two commits tell: the one that made the project, and the last that wrote the record's commit. In the
    latter, only files that are new in the template count: earlier differences may be the team's own.
    """
    if ask(project, "rev-parse", "--is-inside-work-tree") != "true":
        return Made(files={}, reason="the project is not in a git repository")
    if ask(project, "rev-parse", "--is-shallow-repository") == "true":
        return Made(files={}, reason="its clone is shallow (fetch-depth: 0 gets the whole history)")
    try:
        places = [*stays(project)]
        place = places[-1]
        before = f"{place.added}^" if place.added else place.until
        is_older = 2 * len(tracked(place, before) & {*base}) > len(base)
        if is_older and is_by_hook(place, before, hooks):
            first = before
        elif not place.added:
            return Made(files={}, reason=f"{record.NAME} was never committed")
        elif is_older:
            return Made(files={}, reason="the project is older than its record")
        else:
            first = place.added
        start = record_at(place, place.added) if place.added else known
        if start is None:
            return Made(
                files={}, reason=f"{record.NAME} cannot be read in the commit that added it"
            )
        told = inspect_commits(places, base, known, start, first, render)
        hidden = ignored(project, [path for path, file in told.files.items() if file is None])
        return Made(files={path: file for path, file in told.files.items() if path not in hidden})
    except DrydockError as error:
        return Made(files={}, reason=str(error).rstrip("."))


def ignored(project: Path, paths: list[str]) -> set[str]:
    """Return those of some paths that exist and that git ignores: no commit has them, but no hook has removed them."""
    names = [path for path in paths if (project / path).is_file()]
    stdin = "\0".join(names).encode(errors="surrogateescape")
    # The status is 1 if it ignores none.
    result = git(project, "check-ignore", "-z", "--stdin", stdin=stdin, check=False)
    return {*result.stdout.decode(errors="surrogateescape").split("\0")} & {*names}


def inspect_commits(
    places: list[Stay], base: Tree, known: Record, start: Record, first: str, render: Render
) -> Made:
    """Return what hooks did, as the first commit of a project and that of its last update tell.

    DrydockError where the template's commits of that time cannot be rendered any more.
    """
    original = base if same(start, known) else render(start)
    then = files_at(places[-1], first, {*original})
    files: dict[str, File | None] = {
        path: then.get(path)
        for path, file in original.items()
        # If the template has changed a file since, what the hook would make of it is unknown.
        if not may_be(then.get(path), file) and (path not in then or base.get(path) == file)
    }
    if original is base:
        return Made(files=files)
    # A move brings the whole record to a new place, but writes nothing into it.
    written = (
        (place, place.log(place.until, "-n1", "--format=%H", f"-S{known.commit}"))
        for place in places
    )
    place, last = next(
        (pair for pair in written if pair[1] and pair[1] != pair[0].added), (places[-1], "")
    )
    earlier = record_at(place, f"{last}^") if last else None
    if earlier:
        previous = original if same(earlier, start) else render(earlier)
        new = {*base} - {*previous}
        now = files_at(place, last, new)
        files |= {path: now.get(path) for path in new if not may_be(now.get(path), base[path])}
    return Made(files=files)


def is_by_hook(place: Stay, commit: str, hooks: Tree) -> bool:
    """Tell whether a hook has committed the project: the only commit until then has a message that a hook has.

    A message of one word, such as "init", may be in a hook for another reason.
    """
    folder = place.folder or "."
    if ask(place.top, "--literal-pathspecs", "rev-list", "--count", commit, "--", folder) != "1":
        return False
    message = ask(
        place.top, "--literal-pathspecs", "log", "-n1", "--format=%s", commit, "--", folder
    )
    quoted = re.compile(rb"[\"']%b\\?[\"']" % re.escape(message.encode()))
    return " " in message and any(quoted.search(file.data) for file in hooks.values())


def may_be(stored: File | None, file: File) -> bool:
    """Tell whether a file of a commit may have been as rendered: git may store LF for CRLF, or a pointer."""
    return stored in (file, replace(file, data=unix(file.data))) or bool(stored and pointer(stored))


def same(record: Record, other: Record) -> bool:
    """Tell whether two records have the same commit and answers."""
    return (record.commit, record.answers) == (other.commit, other.answers)


def ask(project: Path, *arguments: str) -> str:
    """Run git in a project; return what it printed, or nothing if it failed."""
    result = git(project, *arguments, check=False)
    # No other blank is stripped: the name of a folder may end in one.
    return "" if result.returncode else result.stdout.decode(errors="replace").strip("\n")


def record_at(place: Stay, commit: str) -> Record | None:
    """Return the record as it was in a commit; None if there was no readable one."""
    text = ask(place.top, "show", f"{commit}:{place.record}")
    try:
        return record.loads(text) if text else None
    except DrydockError:
        return None


def listed(place: Stay, commit: str) -> dict[str, tuple[str, str]]:
    """Return the mode and object of each file of a commit, below the project's folder."""
    tree = f"{commit}:{place.folder}"
    return entries_of(git(place.top, "ls-tree", "-r", "-z", tree, check=False).stdout)


def tracked(place: Stay, commit: str) -> set[str]:
    """Return the paths of a commit's files; none if there is no such commit."""
    return {*listed(place, commit)}


def files_at(place: Stay, commit: str, paths: set[str]) -> Tree:
    """Return those of the paths that were files in a commit."""
    entries = {
        path: entry
        for path, entry in listed(place, commit).items()
        if path in paths and entry[0].startswith("100")
    }
    names = "\n".join(sha for _, sha in entries.values()).encode()
    objects = contents_of(git(place.top, "cat-file", "--batch", stdin=names).stdout)
    return {
        path: File(data=objects[sha], executable=mode == "100755")
        for path, (mode, sha) in entries.items()
    }
