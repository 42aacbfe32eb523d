"""Files as values: what was rendered, what is in a template, what is in a project."""

from dataclasses import dataclass, field
from pathlib import Path

from drydock.errors import DrydockError


@dataclass(frozen=True, kw_only=True)
class File:
    """A file's contents, and whether it is executable; no other mode bit counts.

    `behind_link` says that a template has it through a link to a folder, where cookiecutter renders nothing.
    `unknown` says why the contents are not known, if so; `data` means nothing then.
    """

    data: bytes
    executable: bool = False
    behind_link: bool = field(default=False, compare=False)
    unknown: str | None = None

    @property
    def text(self) -> str | None:
        """The contents as text; None if they are not UTF-8, or contain a null character."""
        try:
            text = self.data.decode()
        except UnicodeDecodeError:
            return None
        return None if "\0" in text else text


# How a file starts that only stands for its contents in git -> what has them.
POINTERS = {b"version https://git-lfs.github.com/spec/": "Git LFS", b"\0GITCRYPT\0": "git-crypt"}
# From a path, with forward slashes and relative to the top, to the file there.
Tree = dict[str, File]


def known(file: File) -> File:
    """Return a file; DrydockError if its contents are not known."""
    if file.unknown:
        raise DrydockError(file.unknown)
    return file


def pointer(file: File) -> str | None:
    """Return what has the contents that a file in git only stands for; None if it is no such file."""
    return next((what for start, what in POINTERS.items() if file.data.startswith(start)), None)


def crlf(data: bytes) -> bool:
    """Tell whether all lines of a text end in CRLF."""
    ends = data.count(b"\r\n")
    return ends > 0 and b"\0" not in data and data.count(b"\r") == data.count(b"\n") == ends


def in_crlf(data: bytes) -> bytes:
    """Return contents whose lines end in CRLF."""
    return unix(data).replace(b"\n", b"\r\n")


def unix(data: bytes) -> bytes:
    """Return contents whose lines end in LF."""
    return data.replace(b"\r\n", b"\n")


def is_at(path: str, name: str) -> bool:
    """Tell whether a path is that of a file, or in the folder, of a name; "." is the top."""
    return name == "." or f"{path}/".startswith(f"{name}/")


def text_at(name: Path) -> str:
    """Return the text of a file; OSError or UnicodeDecodeError if it cannot be read.

    What is no regular file, such as a device, could have no end.
    """
    if name.exists() and not name.is_file():
        raise OSError("is no regular file")
    return name.read_text(encoding="utf-8")


def write_tree(tree: Tree, folder: Path) -> None:
    """Write a tree's files into a new folder; DrydockError for one that is not known, and matters."""
    for path, file in tree.items():
        if file.unknown and "cookiecutter" not in path.split("/")[0]:
            continue
        known(file)
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        target.chmod(0o755 if file.executable else 0o644)


def read_tree(folder: Path) -> Tree:
    """Return the files below a folder."""
    return {
        path.relative_to(folder).as_posix(): File(
            data=path.read_bytes(), executable=bool(path.stat().st_mode & 0o100)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }
