"""Merge three trees into one: the template's changes go into the working tree's files.

git does the merging, with its knowledge of renames and modes. If lines of a structured file conflict but no
key does, they are merged by line once more, and the result counts if every key comes out right.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath

from drydock import formats
from drydock.errors import DrydockError
from drydock.keys import grouped
from drydock.lines import WHOLE, WORK, Matcher, differing
from drydock.source.git import contents_of, entries_of, git
from drydock.tree import File, Tree, crlf, in_crlf, unix

YOURS, TEMPLATE = "yours", "template"
# git names the version that both sides come from by a commit that nobody will ever see.
BASE_MARK = re.compile(rb"(?m)^(\|{7,}) [0-9a-f]+$")


class Fate(StrEnum):
    """What becomes of a file."""

    UPDATED = "updated"
    RENAMED = "renamed"
    MERGED = "merged"
    ADDED = "added"
    REMOVED = "removed"
    CONFLICT = "conflict"
    KEPT_DELETED = "deleted here"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A file after the merge, None if it is removed. `stages` are those of a conflict in git's index.

    The stages are 1 for the recorded template, 2 for the working tree, and 3 for the newest template. `source` is the
    old name of a file that is renamed.
    """

    path: str
    fate: Fate
    file: File | None
    source: str | None = None
    stages: dict[int, File] = field(default_factory=dict)


def merge(
    base: Tree, ours: Tree, theirs: Tree, others: Tree, moved: Mapping[str, str]
) -> list[Outcome]:
    """Return what changes in `ours`, by path, when the change from `base` to `theirs` is merged.

    `others` are the project's files that are not the template's; `moved` are the template's files that the project has
    moved to one of them, old path to new. What was deleted here stays deleted.
    """
    outcomes: list[Outcome] = []
    recorded, here = base, {**others, **ours}
    windows = {path for path in {**here, **theirs} if ends_in_crlf(path, base, here, theirs)}
    base, ours, theirs, others = map(in_lf, (base, ours, theirs, others))
    for path in sorted({*base} - {*ours} - {*moved}):
        if path in theirs and theirs[path] != base[path]:
            outcomes.append(Outcome(path=path, fate=Fate.KEPT_DELETED, file=None))
        del base[path]
        theirs.pop(path, None)
    mine = ours
    if moved:
        own = {path: file for path, file in others.items() if path not in moved.values()}
        own = beside(own, {*base, *theirs})
        # No side has changed the project's own files, so git takes none of them for a renamed one, and moves none.
        base, theirs = {**own, **base}, {**own, **theirs}
        mine = {**own, **{path: others[path] for path in moved.values() if path in others}, **ours}
    merged, stages = merge_trees(base, mine, theirs)
    for path in sorted({*mine, *merged, *stages}):
        before, after = here.get(path) if path in mine else None, merged.get(path)
        parts = stages.get(path, {})
        if parts and (text := merged_by_key(path, parts)) is not None and after:
            after, parts = replace(after, data=text.encode()), {}
        if parts:
            after = after and replace(after, data=BASE_MARK.sub(rb"\1 recorded", after.data))
        if path in windows:
            after = after and with_crlf(after)
            parts = {stage: with_crlf(file) for stage, file in parts.items()}
        if parts:
            fate = Fate.CONFLICT
        elif before == after:
            continue
        elif after is None:
            fate = Fate.REMOVED
        elif before is None:
            fate = Fate.ADDED
        else:
            fate = Fate.UPDATED if before == recorded.get(path) else Fate.MERGED
        outcomes.append(Outcome(path=path, fate=fate, file=after, stages=parts))
    return outcomes


def beside(tree: Tree, paths: set[str]) -> Tree:
    """Return the files of a tree that can be in one with some paths: none is a folder there, or in a file's place."""
    folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
    return {
        path: file
        for path, file in tree.items()
        if path not in folders and not {*map(str, PurePosixPath(path).parents)} & paths
    }


def in_lf(tree: Tree) -> Tree:
    """Return files with LF in place of CRLF, where all of their lines end in that."""
    return {
        path: replace(file, data=unix(file.data)) if crlf(file.data) else file
        for path, file in tree.items()
    }


def with_crlf(file: File) -> File:
    """Return a file whose lines end in CRLF, if it is text."""
    return file if file.text is None else replace(file, data=in_crlf(file.data))


def ends_in_crlf(path: str, base: Tree, ours: Tree, theirs: Tree) -> bool:
    """Tell whether the merge of a file ends its lines in CRLF: the project's ends count, if it has changed them."""
    old, mine, new = (
        crlf(tree[path].data) if path in tree else None for tree in (base, ours, theirs)
    )
    return bool(new if new is not None and mine in (None, old) else mine)


def irreconcilable(base: Tree, ours: Tree, theirs: Tree) -> set[str]:
    """Return the files that both sides made again, such as a lock, and that git's plain merge cannot merge.

    This is known much sooner than what `merge` makes of such a file, because git looks longer for what its versions
    have in common if it merges trees.
    """
    base, ours, theirs = map(in_lf, (base, ours, theirs))
    paths = [path for path in ours if path in base and path in theirs]
    return {
        path
        for path in paths
        for sides in [(ours[path].data, base[path].data, theirs[path].data)]
        if are_made_again(*sides) and conflict(*sides)
    }


def are_made_again(ours: bytes, base: bytes, theirs: bytes) -> bool:
    """Tell whether two versions of a file have little in common with the one that they come from."""
    lines = base.splitlines()
    return all(differing(lines, side.splitlines()) > WHOLE for side in (ours, theirs))


def conflict(ours: bytes, base: bytes, theirs: bytes) -> bool:
    """Tell whether git's plain merge of a file conflicts."""
    with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
        for name, data in (("ours", ours), ("base", base), ("theirs", theirs)):
            Path(folder, name).write_bytes(data)
        # The status is the number of conflicts, or above 127 for an error.
        result = git(folder, "merge-file", "--stdout", "ours", "base", "theirs", check=False)
    return 0 < result.returncode < 128


class Scratch:
    """A throwaway repository for git to merge in."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        git(None, "init", "--quiet", "--bare", folder)

    def git(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> tuple[int, bytes]:
        """Run git; return its status and what it printed."""
        result = git(None, f"--git-dir={self.folder}", *arguments, stdin=stdin, check=check)
        return result.returncode, result.stdout

    def commits(self, trees: dict[str, Tree]) -> None:
        """Write trees as commits of branches; the first is the parent of the others."""
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(stream(trees)))

    def read(self, tree: str) -> dict[str, tuple[str, str]]:
        """Return mode and object of each file of a tree."""
        return entries_of(self.git("ls-tree", "-r", "-z", tree)[1])

    def files(self, entries: Iterable[tuple[str, str]]) -> list[File]:
        """Return the files of modes and objects."""
        entries = list(entries)
        names = "\n".join(sha for _, sha in entries).encode()
        objects = contents_of(self.git("cat-file", "--batch", stdin=names)[1])
        return [File(data=objects[sha], executable=mode == "100755") for mode, sha in entries]


def stream(trees: dict[str, Tree]) -> Iterator[bytes]:
    """Yield what `git fast-import` reads to make a commit of each tree."""
    first = next(iter(trees))
    for name, tree in trees.items():
        yield f"commit refs/heads/{name}\ncommitter drydock <> 0 +0000\ndata 0\n".encode()
        if name != first:
            yield f"from refs/heads/{first}\n".encode()
        yield b"deleteall\n"
        for path, file in tree.items():
            quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            mode = "100755" if file.executable else "100644"
            yield f'M {mode} inline "{quoted}"\ndata {len(file.data)}\n'.encode(
                errors="surrogateescape"
            )
            yield file.data + b"\n"


def renamed(base: Tree, ours: Tree) -> dict[str, str]:
    """Return the files of `base` that `ours` seems to have under another name, by that name."""
    with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
        scratch = Scratch(folder)
        scratch.commits({"base": base, YOURS: ours})
        options = ["-r", "-z", "-M", "--no-rename-empty", "--diff-filter=R", "--name-status"]
        _, output = scratch.git("diff-tree", *options, "base", YOURS)
    words = output.decode(errors="surrogateescape").split("\0")
    return dict(zip(words[1::3], words[2::3], strict=True))


def merge_trees(base: Tree, ours: Tree, theirs: Tree) -> tuple[Tree, dict[str, dict[int, File]]]:
    """Return git's merge of three trees, and the stages of each file that conflicts."""
    with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
        scratch = Scratch(folder)
        scratch.commits({"base": base, YOURS: ours, TEMPLATE: theirs})
        settings = ["merge.conflictStyle=diff3", "merge.directoryRenames=true"]
        options = [word for setting in settings for word in ("-c", setting)]
        status, output = scratch.git(
            *options, "merge-tree", "--write-tree", "-z", YOURS, TEMPLATE, check=False
        )
        tree, *rest = output.split(b"\0")
        if status not in (0, 1) or not tree:
            raise DrydockError("git merge-tree failed: an update needs git 2.38 or newer.")
        entries = scratch.read(tree.decode())
        known = scratch.read(YOURS)
        changed = {path: entry for path, entry in entries.items() if known.get(path) != entry}
        merged = {path: ours[path] for path in entries if path not in changed}
        merged |= zip(changed, scratch.files(changed.values()), strict=True)
        stages: dict[str, dict[int, File]] = {}
        parts = []
        for line in rest[: rest.index(b"")] if b"" in rest else []:
            entry, _, name = line.partition(b"\t")
            mode, sha, number = entry.decode().split()
            parts.append((name.decode(errors="surrogateescape"), int(number), (mode, sha)))
        files = scratch.files(entry for _, _, entry in parts)
        for (path, stage, _), file in zip(parts, files, strict=True):
            stages.setdefault(path, {})[stage] = file
    return merged, stages


def merged_by_key(path: str, stages: dict[int, File]) -> str | None:
    """Return the merge of a structured file if no key was changed by both sides; otherwise None."""
    if {1, 2, 3} - {*stages} or not formats.is_keyed(path):
        return None
    base, ours, theirs = (stages[stage].text for stage in (1, 2, 3))
    if base is None or ours is None or theirs is None:
        return None
    if are_made_again(*(stages[stage].data for stage in (2, 1, 3))):
        return None
    texts = merged_by_line(*(text.splitlines(keepends=True) for text in (base, ours, theirs)))
    if texts is None:
        return None
    *sides, result = (formats.parse(path, text) for text in (base, ours, theirs, texts[0]))
    if any(document.leaves is None for document in (*sides, result)):
        return None
    # Nobody knows which of two new items of a list comes first.
    if texts[1] != texts[0] and formats.parse(path, texts[1]).meaning != result.meaning:
        return None
    before, mine, other, after = (grouped(document.leaves or ()) for document in (*sides, result))
    nothing: Counter[str] = Counter()
    for key in {**before, **mine, **other, **after}:
        old, left, right = (values.get(key, nothing) for values in (before, mine, other))
        if left not in (old, right) and right != old:
            return None
        if after.get(key, nothing) != (right if left == old else left):
            return None
    return texts[0]


Edit = tuple[int, int, list[str]]


def edits_of(base: list[str], lines: list[str]) -> list[Edit]:
    """Return the edits that make one text of another; what is only added stands as late as it can."""
    codes = Matcher(base, lines, autojunk=False).get_opcodes()
    edits = [(a, b, lines[c:d]) for tag, a, b, c, d in codes if tag != "equal"]
    ends = [edit[0] - 1 for edit in edits[1:]] + [len(base)]
    for index, ((start, last, added), end) in enumerate(zip(edits, ends, strict=True)):
        place = start
        if start == last:
            while place < end and base[place] == added[0]:
                added = [*added[1:], added[0]]
                place += 1
            edits[index] = place, place, added
    return edits


def merged_by_line(base: list[str], ours: list[str], theirs: list[str]) -> tuple[str, str] | None:
    """Return a text with the edits of both sides, which may be adjacent; None if they overlap, or are far too many.

    If both add something at the same place, the project's comes first, and last in the second text.
    """
    mine, other = edits_of(base, ours), edits_of(base, theirs)
    if len(mine) * len(other) > WORK:
        return None
    other = [edit for edit in other if edit not in mine]
    for start, end, _ in mine:
        for first, last, _ in other:
            if (
                (start < last and first < end)
                or (start < first == last < end)
                or (first < start == end < last)
            ):
                return None
    ordered = sorted(
        [*((edit, 0) for edit in mine), *((edit, 1) for edit in other)],
        key=lambda pair: (pair[0][0], pair[0][1], pair[1]),
    )
    return joined(base, [edit for edit, _ in ordered]), joined(base, exchanged(ordered))


def exchanged(ordered: list[tuple[Edit, int]]) -> list[Edit]:
    """Return the edits of two sides; where both have added something at the same place, in the other order."""
    result: list[Edit] = []
    before = -1
    for edit, side in ordered:
        if result and before == 1 - side:
            (start, end, lines), (first, last, more) = result[-1], edit
            if end == first and len(lines) > end - start and len(more) > last - first:
                result[-1:] = [(start, end, more), (first, last, lines)]
                before = -1
                continue
        result.append(edit)
        before = side
    return result


def joined(base: list[str], edits: Iterable[Edit]) -> str:
    """Return a text with edits of it, in the order of their places."""
    result: list[str] = []
    place = 0
    for start, end, lines in edits:
        # A last line without a line break would run into the next.
        for part in (base[place:start], lines):
            if part and result and not result[-1].endswith("\n"):
                result[-1] += "\n"
            result += part
        place = max(place, end)
    return "".join([*result, *base[place:]])
