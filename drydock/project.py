"""The project's folder: the files that are compared, and whether now is a time to compare them."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from drydock.errors import DrydockError
from drydock.source import git
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


def read(project: Path, paths: Iterable[str], like: Tree | None = None) -> Tree:
    """Return those of the paths that are files in a project's folder.

    Ends of lines that git changed when it checked a file out are as git keeps them; where the file system has
    no modes, a file has that of the one that it is to be `like`. A link counts as the file it leads to, as long as that is in the project. DrydockError for one
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
    for path in converted(project, tree):
        tree[path] = replace(tree[path], data=unix(tree[path].data))
    if like and not has_modes(project):
        tree = {
            path: replace(file, executable=like[path].executable) if path in like else file
            for path, file in tree.items()
        }
    return tree


def unix(data: bytes) -> bytes:
    """Return contents whose lines end in LF."""
    return data.replace(b"\r\n", b"\n")


def converted(project: Path, tree: Tree) -> list[str]:
    """Return the files whose lines end in CRLF only because git checks them out so.

    Of those, git would store the contents with LF.
    """
    paths = [path for path, file in tree.items() if b"\r\n" in file.data and "\n" not in path]
    names = "\n".join(paths).encode(errors="surrogateescape")
    result = (
        git(project, "hash-object", "--stdin-paths", stdin=names, check=False) if paths else None
    )
    if result is None or result.returncode:
        return []
    stored = result.stdout.decode().split()
    plain = [unix(tree[path].data) for path in paths]
    objects = [hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest() for data in plain]  # noqa: S324
    return [path for path, *both in zip(paths, stored, objects, strict=True) if both[0] == both[1]]


def has_modes(project: Path) -> bool:
    """Tell whether a file's mode says something: not on Windows, nor where git was told so."""
    told = git(project, "config", "--type=bool", "core.fileMode", check=False).stdout.strip()
    return os.name != "nt" and told != b"false"
