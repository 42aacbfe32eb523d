"""The project's folder: the files to compare, and whether now is a good time to compare them."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from drydock.errors import DrydockError
from drydock.policy import literal
from drydock.source.git import contents_of, git
from drydock.tree import File, Tree, crlf, in_crlf, unix

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
    place = project.resolve()  # A relative path has none of the folders above it.
    for folder in (place, *place.parents):
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

    Ends of lines that git changes are those of the file's counterpart in `like`, or LF. If the file system has no modes,
    a file takes the mode of its counterpart. A link counts as the file it leads to, as long as that is in the project,
    and a file that a sparse checkout leaves out is as git's index has it. DrydockError for a link that leads elsewhere,
    and for a file that cannot be read; with `partial`, they are in the tree, as unknown.
    """
    root, paths = project.resolve(), list(paths)
    tree = {}
    for path in paths:
        name = project / path
        reason = None
        try:
            real = Path(os.path.realpath(name))
            if real != root / path and not real.is_relative_to(root):
                reason = (
                    f"{name}: is a link that leaves the project, so it is not followed. Remove it, or "
                    f"ignore it: {ignore_entry(path)}."
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
    tree |= sparse(project, [path for path in paths if path not in tree], partial=partial)
    for path in converted(project, tree):
        tree[path] = replace(tree[path], data=unix(tree[path].data))
    tree |= {
        path: replace(tree[path], data=in_crlf(tree[path].data))
        for path, file in (like or {}).items()
        if path in tree and crlf(file.data) and is_stored_in_lf(project, path, tree[path].data)
    }
    other_modes = {
        path: replace(file, executable=like[path].executable)
        for path, file in tree.items()
        if like and path in like and file.executable != like[path].executable
    }
    if other_modes and not has_modes(project):
        tree |= other_modes
    return tree


def sparse(project: Path, paths: list[str], *, partial: bool) -> Tree:
    """Return those of some paths without a file that a sparse checkout leaves out, as git's index has them.

    `partial` and DrydockError are as in `read`: a partial clone may lack the contents.
    """
    entries = {
        path: (mode, sha)
        for path, (tag, mode, sha) in (index_of(project, paths) if paths else {}).items()
        if tag.upper() == "S" and mode.startswith("100")
    }
    if not entries:
        return {}
    names = "\n".join(sha for _, sha in entries.values()).encode()
    try:
        objects = contents_of(git(project, "cat-file", "--batch", stdin=names).stdout)
    except LookupError:
        reason = (
            f"{project / min(entries)}: is not checked out, and the partial clone lacks its contents. Add it with "
            "`git sparse-checkout add`."
        )
        if not partial:
            raise DrydockError(reason) from None
        return {path: File(data=b"", unknown=reason) for path in entries}
    return {
        path: File(data=objects[sha], executable=mode == "100755")
        for path, (mode, sha) in entries.items()
    }


def index_of(project: Path, paths: Iterable[str]) -> dict[str, tuple[str, str, str]]:
    """Return the tag, the mode and the object of those of the paths that git's index has.

    The tag is H; S for a file that git leaves out of the working tree or does not look at; small for one that it takes
    for unchanged.
    """
    wanted, entries = {*paths}, {}
    output = git(project, "ls-files", "-z", "-v", "--stage", check=False).stdout
    for line in filter(None, output.decode(errors="surrogateescape").split("\0")):
        fields, _, path = line.partition("\t")
        tag, mode, sha, stage = fields.split()
        if path in wanted and stage == "0":
            entries[path] = (tag, mode, sha)
    return entries


def prefix_of(project: Path) -> str:
    """Return the path of a project's folder in its git repository, with a slash at the end; "" if it is the top."""
    output = git(project, "rev-parse", "--show-prefix", check=False).stdout
    return output.decode(errors="surrogateescape").removesuffix("\n")


def ignore_entry(path: str) -> str:
    """Return what to write into the policy, and where, to have a file or folder not compared."""
    return f"ignore = [{json.dumps(literal(path), ensure_ascii=False)}] in [tool.drydock] of pyproject.toml"


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
    objects = [object_of(unix(tree[path].data)) for path in paths]
    return [path for path, *both in zip(paths, stored, objects, strict=True) if both[0] == both[1]]


def is_stored_in_lf(project: Path, path: str, data: bytes) -> bool:
    """Tell whether a text with LF would be the same for git if it had CRLF."""
    if b"\r" in data:
        return False
    asked = ["hash-object", "--stdin", f"--path={path}"]
    result = git(project, *asked, stdin=in_crlf(data), check=False)
    return result.stdout.decode().strip() == object_of(data)


def object_of(data: bytes) -> str:
    """Return the name that git gives to contents."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324


def has_modes(project: Path) -> bool:
    """Tell whether file modes mean anything: not on Windows, nor if git was told to ignore them."""
    told = git(project, "config", "--type=bool", "core.fileMode", check=False).stdout.strip()
    return os.name != "nt" and told != b"false"
