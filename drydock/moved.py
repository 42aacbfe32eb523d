"""Files of the template that the project has moved: what the template changes in one belongs where it is now."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from drydock.errors import DrydockError
from drydock.made import stays
from drydock.merge import renamed
from drydock.policy import Policy
from drydock.source.git import git
from drydock.tree import File, Tree

# Shorter files are alike by chance, such as those of two applications that Django's `startapp` made.
LINES, BYTES = 5, 200


def moved_here(
    folder: Path, base: Tree, ours: Tree, others: Tree, names: Mapping[str, str], policy: Policy
) -> dict[str, str]:
    """Return the files of `base` that the project in a folder has under another path: the old path to the new one.

    `ours` are the project's files with the template's paths, and `others` its own. `names` are the paths that the
    project knows files of `base` by, if others. Contents alone show nothing, because a file of the project's own may
    have begun as a copy: the project's history must say that the file was renamed. It need not if it never had the
    file where the template has it.
    """
    candidates = {path: file for path, file in others.items() if not policy.is_ignored(path)}
    if not renamed(base, {**candidates, **ours}):
        return {}
    known, steps = history(folder)
    reached = {path: followed(steps, names.get(path, path)) for path in {*base} - {*ours}}
    unknown = {path for path in reached if names.get(path, path) not in known}
    if not unknown:
        # Otherwise, a file that is only alike might be taken for the one that was renamed.
        ends = set().union(*reached.values())
        candidates = {path: file for path, file in candidates.items() if path in ends}
    pairs = {
        old: new
        for old, new in renamed(base, {**candidates, **ours}).items()
        if old in unknown or new in reached[old]
    }
    # A short file goes with its folder.
    folders = {folders_of(*pair) for pair in pairs.items() if not is_short(base[pair[0]])}
    return {
        old: new
        for old, new in pairs.items()
        if not is_short(base[old])
        or (folders_of(old, new) in folders and Path(old).name == Path(new).name)
    }


def is_short(file: File) -> bool:
    """Tell whether a file is so short that others may be like it by chance."""
    lines = [line for line in file.data.splitlines() if line.strip()]
    return len(lines) < LINES and len(file.data) < BYTES


def folders_of(old: str, new: str) -> tuple[PurePosixPath, PurePosixPath]:
    """Return the folders of two paths."""
    return PurePosixPath(old).parent, PurePosixPath(new).parent


def history(folder: Path) -> tuple[set[str], dict[str, set[str]]]:
    """Return the paths that a project has ever added, removed or renamed, and the new ones of each that it renamed.

    What is not committed yet counts, too.
    """
    options = ["-z", "-M", "--diff-filter=ADR", "--name-status"]
    output = git(folder, "diff", *options, "--relative", "HEAD", check=False).stdout
    # Where it was before an uncertain move, it may have been another project.
    with suppress(DrydockError):
        for place in stays(folder):
            below = [f"--relative={place.folder}"] if place.folder else []
            log = ["log", *options, *below, "--format=", place.until, "--", place.folder or "."]
            output += git(place.top, "--literal-pathspecs", *log, check=False).stdout
    words = iter(output.decode(errors="surrogateescape").split("\0"))
    known: set[str] = set()
    steps: dict[str, set[str]] = {}
    for how in words:
        if not how:
            continue
        old = next(words)
        known.add(old)
        if how.startswith("R"):
            steps.setdefault(old, set()).add(next(words))
    return known, steps


def followed(steps: Mapping[str, set[str]], path: str) -> set[str]:
    """Return all paths that a file was renamed to, in any number of steps."""
    result: set[str] = set()
    pending = {path}
    while pending:
        result |= pending
        pending = set().union(*(steps.get(one, set()) for one in pending)) - result
    return result
