"""Write to a project's working tree and index, in a way that can be undone to the byte."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from drydock.errors import DrydockError
from drydock.merge import crlf
from drydock.source.git import git
from drydock.tree import File

STATE = "drydock-update"
MARKS = (b"<<<<<<< ", b">>>>>>> ")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A file to write, or to delete if it is None; `stages` are what the index gets for a conflict.

    `source` is the file whose mode and ends of lines it takes, if it is not the one that is there.
    """

    path: str
    file: File | None
    stages: dict[int, File]
    source: str | None = None


class WorkTree:
    """The folder of a project in a git repository: its top, or a folder in it."""

    def __init__(self, project: Path) -> None:
        self.project = project.resolve()
        result = git(self.project, "rev-parse", "--show-prefix", "--git-path", STATE, check=False)
        if result.returncode:
            raise DrydockError(
                f"{project}: is not in a git repository, so a merge could not be undone. "
                "Run `git init`, commit everything, then try again."
            )
        self.prefix, state = result.stdout.decode(errors="surrogateescape").splitlines()
        self.state = self.project / state

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git in the project's folder; return what it printed."""
        return git(self.project, *arguments, stdin=stdin).stdout

    def tracked(self) -> list[str]:
        """Return the paths of the files that git knows."""
        output = self.git("ls-files", "-z", "--cached").decode(errors="surrogateescape")
        return [path for path in dict.fromkeys(output.split("\0")) if path]

    @property
    def is_waiting(self) -> bool:
        """Whether an update is waiting for its conflicts to be resolved."""
        return (self.state / "manifest.json").exists()

    def dirty(self, paths: Iterable[str]) -> list[str]:
        """Return the paths that have uncommitted changes."""
        names = sorted({*paths})
        options = ["--porcelain", "-z", "--untracked-files=all", "--ignored", "--no-renames"]
        output = b"".join(
            self.git("--literal-pathspecs", "status", *options, "--", *names[start : start + 500])
            for start in range(0, len(names), 500)
        )
        changed = {line[3:] for line in output.decode(errors="surrogateescape").split("\0") if line}
        # An ignored folder stands for all files in it.
        return [
            path
            for path in names
            if any(
                f"{self.prefix}{path}" == entry or (entry.endswith("/") and f"{self.prefix}{path}".startswith(entry))
                for entry in changed
            )
            and os.path.lexists(self.project / path)
        ]  # fmt: skip

    def apply(self, changes: list[Change]) -> None:
        """Make all the changes, or none if one fails.

        After a conflict, the earlier state is kept until `finish` or `abort`.
        """
        self.save([change.path for change in changes])
        try:
            for change in changes:
                self.write(change)
            self.set_stages([change for change in changes if change.stages])
        except BaseException:
            self.abort()
            raise
        if not any(change.stages for change in changes):
            self.forget()

    def save(self, paths: list[str]) -> None:
        """Keep the bytes and the index entries of files."""
        self.forget()
        self.state.mkdir(parents=True)
        saved = {}
        for number, path in enumerate(paths):
            name = self.target(path)
            if name.exists():
                shutil.copy2(name, self.state / str(number))
            saved[path] = str(number) if name.exists() else None
        entries = {
            path: self.git("--literal-pathspecs", "ls-files", "--stage", "--", path).decode()
            for path in paths
        }
        manifest = json.dumps({"files": saved, "index": entries})
        partial = self.state / "manifest.new"
        partial.write_text(manifest, encoding="utf-8")
        partial.replace(self.state / "manifest.json")

    def target(self, path: str) -> Path:
        """Return where a file is; for a link, where it leads, as long as that is in the project."""
        name = self.project / path
        real = Path(os.path.realpath(name))
        if not real.is_relative_to(self.project):
            raise DrydockError(f"{name}: is behind a link that leaves the project.")
        if any(part.is_file() for part in real.parents):
            raise DrydockError(
                f"{name}: is a file, but the template has a folder here. Move it away."
            )
        if real.is_dir():
            raise DrydockError(
                f"{name}: is a folder, but the template has a file here. Move it away."
            )
        return real

    def write(self, change: Change) -> None:
        """Write or delete one file; with CRLF if the existing one has it."""
        target = self.target(change.path)
        if change.file is None:
            target.unlink(missing_ok=True)
            self.prune(target.parent)
            return
        data = change.file.data
        like = self.target(change.source) if change.source else target
        if like.exists() and crlf(like.read_bytes()) and b"\r\n" not in data:
            data = data.replace(b"\n", b"\r\n")
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = like.stat().st_mode & 0o777 if like.exists() else 0o666 & ~umask()
        runnable = mode | (mode & 0o444) >> 2
        partial = target.with_name(f".{target.name}.drydock")
        try:
            partial.write_bytes(data)
            partial.chmod(runnable if change.file.executable else mode & ~0o111)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def prune(self, folder: Path) -> None:
        """Remove folders that have become empty."""
        with contextlib.suppress(OSError):
            while folder != self.project:
                folder.rmdir()
                folder = folder.parent

    def set_stages(self, conflicts: list[Change]) -> None:
        """Tell git's index which files conflict, and the three versions of each."""
        lines = []
        for change in conflicts:
            lines.append(f"0 {'0' * 40}\t{self.prefix}{change.path}")
            for stage, file in sorted(change.stages.items()):
                sha = self.git("hash-object", "-w", "--stdin", stdin=file.data).decode().strip()
                mode = "100755" if file.executable else "100644"
                lines.append(f"{mode} {sha} {stage}\t{self.prefix}{change.path}")
        self.index(lines)

    def index(self, lines: list[str]) -> None:
        """Give lines to `git update-index --index-info`."""
        if lines:
            data = "".join(f"{line}\0" for line in lines).encode(errors="surrogateescape")
            self.git("update-index", "-z", "--index-info", stdin=data)

    def unresolved(self) -> list[str]:
        """Return the files of the update that still conflict."""
        manifest = json.loads((self.state / "manifest.json").read_text(encoding="utf-8"))
        paths = list(manifest["files"])
        unmerged = self.git("--literal-pathspecs", "ls-files", "--unmerged", "-z", "--", *paths)
        names = {line.rpartition("\t")[2] for line in unmerged.decode().split("\0") if line}
        return sorted(path for path in paths if path in names or self.has_marks(path))

    def has_marks(self, path: str) -> bool:
        """Tell whether a file holds the marks of a conflict."""
        try:
            lines = self.target(path).read_bytes().splitlines()
        except OSError:
            return False
        return all(any(line.startswith(mark) for line in lines) for mark in MARKS)

    def abort(self) -> None:
        """Put every file and every entry of the index back as it was before the update."""
        manifest = json.loads((self.state / "manifest.json").read_text(encoding="utf-8"))
        for path, saved in manifest["files"].items():
            target = self.target(path)
            if saved is None:
                target.unlink(missing_ok=True)
                self.prune(target.parent)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.state / saved, target)
        lines = []
        for path, entries in manifest["index"].items():
            lines.append(f"0 {'0' * 40}\t{self.prefix}{path}")
            for entry in entries.splitlines():
                lines.append(f"{entry.partition(chr(9))[0]}\t{self.prefix}{path}")
        self.index(lines)
        self.forget()

    def forget(self) -> None:
        """Remove the state that was kept for `abort`."""
        shutil.rmtree(self.state, ignore_errors=True)


def umask() -> int:
    """Return the process's file mode creation mask."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def waiting(project: Path) -> WorkTree:
    """Return the working tree of an unfinished update; DrydockError if there is none."""
    tree = WorkTree(project)
    if not tree.is_waiting:
        raise DrydockError(f"{project}: there is no update to continue.")
    return tree
