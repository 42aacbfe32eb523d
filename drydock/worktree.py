"""Write to a project's working tree and index, in a way that can be undone to the byte."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drydock.errors import DrydockError
from drydock.merge import TEMPLATE, YOURS
from drydock.project import converted, ignore_entry, index_of, prefix_of
from drydock.replacing import name_of_partial, replacing
from drydock.source.git import git
from drydock.tree import File, crlf, in_crlf, unix

STATE = "drydock-update"
# Marks of files: git's for one that it ignores, and one for what it was told to overlook.
IGNORED, HIDDEN = "!!", "hidden"
# In a project's folder in STATE: what `abort` needs, and the sign that everything has been written.
MANIFEST, WRITTEN = "manifest.json", "written"
MARKS = (f"<<<<<<< {YOURS}".encode(), f">>>>>>> {TEMPLATE}".encode())


@dataclass(frozen=True, kw_only=True)
class Change:
    """A file to write, or to delete if it is None; `stages` are what the index gets for a conflict.

    `source` is the file whose mode it takes, and whether git checks it out with CRLF, if it is not the one that is
    there.
    """

    path: str
    file: File | None
    stages: dict[int, File]
    source: str | None = None


class WorkTree:
    """The folder of a project in a git repository: its top, or a folder in it."""

    def __init__(self, project: Path) -> None:
        self.project = project.resolve()
        result = git(self.project, "rev-parse", "--git-path", STATE, check=False)
        if result.returncode:
            raise DrydockError(
                f"{project}: is not in a git repository, so a merge could not be undone. "
                "Run `git init`, commit everything, then try again."
            )
        state = result.stdout.decode(errors="surrogateescape").removesuffix("\n")
        self.prefix = prefix_of(self.project)
        # Each project of a repository has an update of its own.
        name = hashlib.sha256(self.prefix.encode(errors="surrogateescape")).hexdigest()[:16]
        self.state = self.project / state / name

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git in the project's folder; return what it printed."""
        return git(self.project, *arguments, stdin=stdin).stdout

    def tracked(self) -> list[str]:
        """Return the paths of the files that git knows."""
        output = self.git("ls-files", "-z", "--cached").decode(errors="surrogateescape")
        return [path for path in dict.fromkeys(output.split("\0")) if path]

    @property
    def is_waiting(self) -> bool:
        """Whether there is an update that was not finished with `forget`."""
        return (self.state / MANIFEST).exists()

    @property
    def is_interrupted(self) -> bool:
        """Whether a waiting update ended before it had written everything."""
        return not (self.state / WRITTEN).exists()

    def manifest(self) -> dict[str, Any]:
        """Return what is kept of a waiting update.

        `head` is the commit that it started from, `conflicts` are the files with one. By path, `files` are the
        names of the earlier contents in the folder, `index` are entries of git's index, and `left` the digests of
        what the update writes. `partial` is the name of a file that is not complete.
        """
        kept: dict[str, Any] = json.loads((self.state / MANIFEST).read_text(encoding="utf-8"))
        return {"partial": name_of_partial()} | kept  # Earlier versions did not write it.

    def head(self) -> str:
        """Return the commit that is checked out; nothing if there is none yet."""
        result = git(self.project, "rev-parse", "--verify", "--quiet", "HEAD", check=False)
        return result.stdout.decode().strip()

    def is_committed(self) -> bool:
        """Tell whether a file of a waiting update is another one in the commit that is checked out now."""
        kept, now = self.manifest(), self.head()
        if now == kept["head"]:
            return False
        options = ["-r", "-z", "--name-only", "--relative"]
        result = git(self.project, "diff-tree", *options, kept["head"], now, "--", check=False)
        # If the earlier commit is gone, history has been rewritten since.
        changed = result.stdout.decode(errors="surrogateescape").split("\0")
        return result.returncode != 0 or not {*changed}.isdisjoint(kept["files"])

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep any other drydock from writing to the project; DrydockError if one is at it.

        The system gives back the lock of a process that ends, however it does.
        """
        from filelock import FileLock, Timeout  # Slow to import, and rarely needed.

        self.state.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.state.with_suffix(".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise DrydockError(
                f"{self.project}: another drydock is updating or restoring it. Wait until that has ended, then try "
                "again."
            ) from None
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Do what `locked` does; DrydockError also if an update is unfinished, which another may have begun by now."""
        with self.locked():
            self.check_finished()
            yield

    def check_idle(self) -> None:
        """Raise DrydockError if an update is at work or unfinished."""
        if self.is_waiting:
            with self.alone():  # What is at work is not to be taken for interrupted.
                pass

    def check_finished(self) -> None:
        """Raise DrydockError if an update is unfinished: interrupted, in conflict, or in no commit yet."""
        if not self.is_waiting:
            return
        committed = self.is_committed()
        if self.is_interrupted and not committed:
            raise self.interrupted()
        if not committed or self.unresolved():
            raise DrydockError(
                f"{self.project}: an update is unfinished. `drydock update --continue` finishes it once its conflicts "
                "are resolved; `drydock update --abort` undoes it."
            )

    def interrupted(self) -> DrydockError:
        """Return the error of an update that ended before it had written everything."""
        way = (
            "What it had written has been committed since; `drydock update` takes the rest."
            if self.is_committed()
            else "`drydock update --abort` undoes it; then try again."
        )
        return DrydockError(
            f"{self.project}: an update, or a restore, was interrupted while it wrote. {way}"
        )

    def check_committed(self, paths: Iterable[str], untouched: Collection[str] = ()) -> None:
        """Raise DrydockError if something at one of the paths is in no commit, so that it would be lost.

        `untouched` are files that are as the template has them: if git ignores one, it can still be rendered again.
        """
        marks = self.dirty(paths)
        if changed := [path for path, mark in marks.items() if mark not in (IGNORED, HIDDEN)]:
            raise DrydockError(
                f"{', '.join(changed)}: would be changed, but has uncommitted changes. Commit them, or "
                "put them away with `git stash -u`; then try again."
            )
        if hidden := [path for path, mark in marks.items() if mark == HIDDEN]:
            raise DrydockError(
                f"{', '.join(hidden)}: would be changed, but has changes that git was told to overlook. Run "
                f"`git update-index --no-skip-worktree {hidden[0]}` and `git update-index --no-assume-unchanged "
                f"{hidden[0]}`, commit them, or put them away with `git stash`; then try again."
            )
        ignored = [path for path, mark in marks.items() if mark == IGNORED]
        if ignored := [path for path in ignored if path not in untouched]:
            raise DrydockError(
                f"{', '.join(ignored)}: would be changed, but git ignores it, so no commit has what is in it. Commit "
                f"it with `git add -f`, move it away, or leave it out: {ignore_entry(ignored[0])}."
            )

    def dirty(self, paths: Iterable[str]) -> dict[str, str]:
        """Return the paths that have uncommitted changes, and what git says of each.

        That is the mark of `git status`, or HIDDEN.
        """
        names = sorted(path for path in {*paths} if os.path.lexists(self.project / path))
        options = ["--porcelain", "-z", "--untracked-files=all", "--ignored", "--no-renames"]
        output = b"".join(
            self.git("--literal-pathspecs", "status", *options, "--", *names[start : start + 500])
            for start in range(0, len(names), 500)
        )
        lines = output.decode(errors="surrogateescape").split("\0")
        # An ignored folder stands for all files in it.
        marks = {
            path: line[:2]
            for line in filter(None, lines)
            for path in names
            if f"{self.prefix}{path}" == line[3:]
            or (line.endswith("/") and f"{self.prefix}{path}".startswith(line[3:]))
        }
        return {**dict.fromkeys(self.hidden(names), HIDDEN), **marks}

    def hidden(self, paths: list[str]) -> list[str]:
        """Return the files whose changes `git status` does not show, because git was told to overlook them."""
        result = []
        for path, (tag, _, sha) in index_of(self.project, paths).items():
            if tag == "H":
                continue
            stored = self.git("hash-object", "--", path) if (self.project / path).is_file() else b""
            if stored.decode().strip() != sha:
                result.append(path)
        return result

    def apply(self, changes: list[Change]) -> None:
        """Make all the changes, or none if one fails.

        After a conflict, the earlier state is kept until `forget` or `abort`. The caller holds the lock, and knows that
        no earlier update is unfinished.
        """
        self.check_room(changes)
        partial = self.save(changes)
        try:
            # All are made before one is deleted, which may be the source of another, or in its place.
            made = self.made(changes)
            for change in changes:
                if change.file is None:
                    self.remove(change.path)
            for path, data, mode in made:
                with replacing(self.project / path, partial) as name:
                    name.write_bytes(data)
                    name.chmod(mode)
            self.set_stages([change for change in changes if change.stages])
        except BaseException as error:
            try:
                self.undo()
            except Exception as failure:
                raise DrydockError(
                    f"{self.project}: could not be changed ({error}), and what was changed could not be undone "
                    f"({failure}). See to that, then `drydock update --abort` undoes it."
                ) from error
            raise
        if any(change.stages for change in changes):
            (self.state / WRITTEN).touch()
        else:
            self.forget()

    def save(self, changes: list[Change]) -> str:
        """Keep the bytes and the index entries of files, and what is going to be written.

        Return the name of a file that is not complete.
        """
        self.forget()
        self.state.mkdir(parents=True)
        try:
            return self.keep(changes)
        except BaseException:
            self.forget()  # The copies so far may be what has filled the disk.
            raise

    def keep(self, changes: list[Change]) -> str:
        """Do what `save` does, in a folder that is new."""
        paths = [change.path for change in changes]
        saved = {}
        for number, path in enumerate(paths):
            name = self.project / path
            if is_file(name):
                shutil.copy2(name, self.state / str(number), follow_symlinks=False)
            saved[path] = str(number) if is_file(name) else None
        entries: dict[str, list[str]] = {path: [] for path in paths}
        for start in range(0, len(paths), 500):
            words = ["ls-files", "--stage", "-z", "--", *paths[start : start + 500]]
            output = self.git("--literal-pathspecs", *words).decode(errors="surrogateescape")
            for line in filter(None, output.split("\0")):
                entry, _, path = line.partition("\t")
                # Not those in a folder that is in the place of a file.
                if path in entries:
                    entries[path].append(entry)
        left = {change.path: change.file and digest(change.file.data) for change in changes}
        conflicts = [change.path for change in changes if change.stages]
        partial = name_of_partial()
        kept = {"head": self.head(), "files": saved, "index": entries, "left": left}
        text = json.dumps({**kept, "conflicts": conflicts, "partial": partial})
        with replacing(self.state / MANIFEST, partial) as name:
            name.write_text(text, encoding="utf-8")
        return partial

    def check_room(self, changes: list[Change]) -> None:
        """Raise DrydockError if a change needs a place that something else has: a link, a repository, a folder."""
        gone = {self.project / change.path for change in changes if change.file is None}
        index = index_of(self.project, [change.path for change in changes])
        for change in changes:
            name = self.project / change.path
            for folder in self.folders(name):
                part = folder.relative_to(self.project).as_posix()
                if folder in gone:
                    continue
                if folder.is_symlink():
                    raise DrydockError(
                        f"{change.path}: is behind the link {part}, and nothing is written through a link. Put a "
                        f"folder in its place, or leave it out: {ignore_entry(part)}."
                    )
                if os.path.lexists(folder / ".git"):
                    raise DrydockError(
                        f"{change.path}: {part} is a git repository of its own, so its files are not the project's. "
                        f"Leave it out: {ignore_entry(part)}."
                    )
                if folder.is_file():
                    raise DrydockError(
                        f"{folder}: is a file, but the template has a folder here. Move it away."
                    )
            if change.file and is_folder(name) and not {*files_below(name)} <= gone:
                raise DrydockError(
                    f"{name}: is a folder, but the template has a file here. Move it away."
                )
            if index.get(change.path, ("",))[0].upper() == "S" and not os.path.lexists(name):
                raise DrydockError(
                    f"{change.path}: would be changed, but is not checked out. Add it with `git sparse-checkout add`, "
                    "or `git sparse-checkout disable`; then try again."
                )

    def folders(self, name: Path) -> list[Path]:
        """Return the folders that a file of the project is in, from the top."""
        return [self.project / part for part in name.relative_to(self.project).parents][-2::-1]

    def made(self, changes: list[Change]) -> list[tuple[str, bytes, int]]:
        """Return the path, the contents and the mode of each file to write.

        It has CRLF if the existing one has it only because git checks it out that way.
        """
        like = {change.path: change.source or change.path for change in changes}
        files = {path: self.project / path for path in like.values()}
        before = {
            path: File(data=name.read_bytes()) for path, name in files.items() if name.is_file()
        }
        by_git = {path for path in converted(self.project, before) if crlf(before[path].data)}
        made = []
        for change in changes:
            if file := change.file:
                path = like[change.path]
                data = in_crlf(file.data) if path in by_git else file.data
                mode = files[path].stat().st_mode & 0o777 if path in before else 0o666 & ~umask()
                runnable = mode | (mode & 0o444) >> 2
                made.append((change.path, data, runnable if file.executable else mode & ~0o111))
        return made

    def remove(self, path: str) -> None:
        """Delete a file or a link, if there is one, and the folders that become empty."""
        target = self.project / path
        unlink(target)
        self.prune(target.parent)

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
        """Return the files in which the update left a conflict that is there yet.

        git's index has it, or the file has the conflict's marks, and no commit has it like that.
        """
        paths = self.manifest()["conflicts"]
        if not paths:
            return []
        unmerged, dirty = self.listed("--unmerged", paths), self.dirty(paths)
        return sorted(
            path for path in paths if path in unmerged or (path in dirty and self.has_marks(path))
        )

    def listed(self, option: str, paths: list[str]) -> set[str]:
        """Return those of some files that `git ls-files` lists."""
        output = self.git("--literal-pathspecs", "ls-files", option, "-z", "--", *paths)
        lines = output.decode(errors="surrogateescape").split("\0")
        return {line.rpartition("\t")[2] for line in lines}

    def has_marks(self, path: str) -> bool:
        """Tell whether a file holds the marks of a conflict."""
        try:
            lines = (self.project / path).read_bytes().splitlines()
        except OSError:
            return False
        return all(any(line.startswith(mark) for line in lines) for mark in MARKS)

    def abort(self) -> None:
        """Put every file and every entry of the index back as it was before the update.

        DrydockError if that would lose something done since: a commit, or an edit that resolves no conflict.
        """
        if self.is_committed():
            raise DrydockError(
                f"{self.project}: what the update wrote has been committed since, so the update is over. "
                "`git revert` undoes a commit."
            )
        if edited := self.edited():
            raise DrydockError(
                f"{', '.join(edited)}: has been edited since the update, and undoing that would lose the edits. "
                "Finish the update with --continue, or move the files away and try again."
            )
        self.undo()

    def edited(self) -> list[str]:
        """Return the files that are neither as before the update nor as it left them, but for resolved conflicts."""
        kept = self.manifest()
        conflicts = kept["conflicts"]
        resolving: set[str] = set()
        if conflicts:
            # Once `git add` has resolved a conflict, git still knows of it; after `git reset --hard`, it does not.
            for option in ("--unmerged", "--resolve-undo"):
                resolving |= self.listed(option, conflicts)
        edited = []
        for path in sorted({*kept["files"]} - resolving):
            target, saved = self.project / path, kept["files"][path]
            known = {kept["left"][path], saved and digest(contents_at(self.state / saved))}
            if is_file(target) and digest(contents_at(target)) not in known:
                edited.append(path)
        return edited

    def undo(self) -> None:
        """Do what `abort` does, whatever would be lost."""
        kept = self.manifest()
        for path, saved in kept["files"].items():
            unlink((self.project / path).with_name(kept["partial"]))  # of an interrupted update
            if saved is None:
                self.remove(path)
        # Later, because what was written may be in the place of a folder, or have a folder in its place.
        for path, saved in kept["files"].items():
            # A file that could not be written cannot be written again, nor need it.
            if saved is not None and not alike(self.project / path, self.state / saved):
                with replacing(self.project / path, kept["partial"]) as partial:
                    shutil.copy2(self.state / saved, partial, follow_symlinks=False)
        lines = []
        for path, entries in kept["index"].items():
            lines.append(f"0 {'0' * 40}\t{self.prefix}{path}")
            lines += [f"{entry}\t{self.prefix}{path}" for entry in entries]
        self.index(lines)
        self.forget()

    def forget(self) -> None:
        """Remove the state that was kept for `abort`."""
        # First, because a state with a part of its files would be worse than none.
        (self.state / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self.state, ignore_errors=True)


def is_file(name: Path) -> bool:
    """Tell whether there is a file or a link, wherever that leads."""
    return name.is_symlink() or name.is_file()


def is_folder(name: Path) -> bool:
    """Tell whether there is a folder that is no link to one."""
    return name.is_dir() and not name.is_symlink()


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files and links below a folder."""
    return (name for name in folder.rglob("*") if not is_folder(name))


def contents_at(name: Path) -> bytes:
    """Return the contents of a file; of a link, what it says."""
    return os.fsencode(os.readlink(name)) if name.is_symlink() else name.read_bytes()


def unlink(name: Path) -> None:
    """Delete a file or a link, if there is one."""
    if is_file(name):
        name.unlink()


def alike(one: Path, two: Path) -> bool:
    """Tell whether two files, or links, are the same, with their modes."""
    return (
        is_file(one)
        and one.lstat().st_mode == two.lstat().st_mode
        and contents_at(one) == contents_at(two)
    )


def digest(data: bytes) -> str:
    """Return the hash of a file's contents, whatever its ends of lines."""
    return hashlib.sha256(unix(data)).hexdigest()


def umask() -> int:
    """Return the process's file mode creation mask."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def waiting(project: Path) -> Iterator[WorkTree]:
    """Give the working tree of an unfinished update, locked; DrydockError if there is none."""
    tree = WorkTree(project)
    with tree.locked():
        if not tree.is_waiting:
            raise DrydockError(f"{project}: there is no update to continue or to abort.")
        yield tree
