"""The project's folder: the files to compare, and whether now is a good time to compare them."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from drydock.errors import DrydockError
from drydock.source.git import git
from drydock.tree import File, Tree

# File in git's folder while an operation waits for the user -> what that operation is.
UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
}


def check_no_merge(project: Path) -> None:
    """Raise DrydockError while git is in the middle of a merge or the like."""
    for folder in (project, *project.parents):
        git = folder / ".git"
        if git.is_file():  # of a linked work tree
            text = git.read_text(encoding="utf-8", errors="replace")
            git = folder / text.partition("gitdir:")[2].strip()
        if git.is_dir():
            for name, what in UNFINISHED.items():
                if (git / name).exists():
                    raise DrydockError(
                        f"{folder}: git is in the middle of {what}. Finish it (git status says how), "
                        "then try again."
                    )
            return


def read(
    project: Path, paths: Iterable[str], like: Tree | None = None, *, partial: bool = False
) -> Tree:
    """Return those of the paths that are files in a project's folder.

    Line endings that git changed at checkout are as git stores them. If the file system has no modes, a file
    takes the mode of its counterpart in `like`. A link counts as the file it leads to, as long as that is in the
    project. DrydockError for a link that leads elsewhere, and for a file that cannot be read; with `partial`, they
    are in the tree, as unknown.
    """
    root = project.resolve()
    tree = {}
    for path in paths:
        name = project / path
        reason = None
        try:
            real = Path(os.path.realpath(name))
            if real != root / path and not real.is_relative_to(root):
                reason = (
                    f"{name}: is a link that leaves the project, so it is not followed. Remove it, or "
                    f'ignore it: ignore = ["{path}"] in [tool.drydock] of pyproject.toml.'
                )
            elif real.is_file():
                executable = bool(real.stat().st_mode & 0o100)
                tree[path] = File(data=real.read_bytes(), executable=executable)
        except OSError as error:
            reason = f"{name}: cannot be read: {error.strerror}."
        except ValueError:  # A null character, or half of a surrogate pair.
            reason = f"{str(name)!r}: is no file name."
        if reason and not partial:
            raise DrydockError(reason)
        if reason:
            tree[path] = File(data=b"", unknown=reason)
    for path in converted(project, tree):
        tree[path] = replace(tree[path], data=unix(tree[path].data))
    other_modes = {
        path: replace(file, executable=like[path].executable)
        for path, file in tree.items()
        if like and path in like and file.executable != like[path].executable
    }
    if other_modes and not has_modes(project):
        tree |= other_modes
    return tree


def unix(data: bytes) -> bytes:
    """Return contents whose lines end in LF."""
    return data.replace(b"\r\n", b"\n")


def converted(project: Path, tree: Tree) -> list[str]:
    """Return the files whose lines end in CRLF only because git checks them out that way.

    git would store them with LF.
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
    """Tell whether file modes mean anything: not on Windows, nor if git was told to ignore them."""
    told = git(project, "config", "--type=bool", "core.fileMode", check=False).stdout.strip()
    return os.name != "nt" and told != b"false"
