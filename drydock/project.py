"""The project's folder: the files that are compared, and whether now is a time to compare them."""

import os
from collections.abc import Iterable
from pathlib import Path

from drydock.errors import DrydockError
from drydock.tree import File, Tree

# In git's folder while an operation waits for the user -> what it is.
UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
}


def check_no_merge(project: Path) -> None:
    """Raise DrydockError while git waits for a merge or the like to be ended."""
    for folder in (project, *project.parents):
        git = folder / ".git"
        if git.is_file():  # of a linked work tree
            text = git.read_text(encoding="utf-8", errors="replace")
            git = folder / text.partition("gitdir:")[2].strip()
        if git.is_dir():
            for name, what in UNFINISHED.items():
                if (git / name).exists():
                    raise DrydockError(
                        f"{folder}: git is in the middle of {what}. End it (git status says how), "
                        "then try again."
                    )
            return


def read(project: Path, paths: Iterable[str]) -> Tree:
    """Return those of the paths that are files in a project's folder.

    A link counts as the file it leads to, as long as that is in the project. DrydockError for one
    that leads elsewhere, and for a file that cannot be read.
    """
    root = project.resolve()
    tree = {}
    for path in paths:
        name = project / path
        try:
            real = Path(os.path.realpath(name))
            if real != root / path and not real.is_relative_to(root):
                raise DrydockError(
                    f"{name}: is a link that leaves the project, and is not followed. Remove it, or "
                    f'ignore it: ignore = ["{path}"] in [tool.drydock] of pyproject.toml.'
                )
            if real.is_file():
                executable = bool(real.stat().st_mode & 0o100)
                tree[path] = File(data=real.read_bytes(), executable=executable)
        except OSError as error:
            raise DrydockError(f"{name}: cannot be read: {error.strerror}.") from None
    return tree
