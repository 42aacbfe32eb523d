"""A template in a git repository on this machine, read without its working tree."""

import contextlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from drydock.errors import DrydockError
from drydock.source.base import LIMIT, Source, folder_of, no_folder
from drydock.source.git import git, listing_of, objects_of
from drydock.source.links import Links
from drydock.tree import File, Tree, in_crlf

SHA = re.compile(r"[0-9a-f]{40}")
NAMED = re.compile(r"refs/(?:heads|tags)/(.+)")
HASH = re.compile(r"[0-9a-f]{7,40}")
LINK, RUNNABLE = "120000", "100755"
ATTRIBUTES = re.compile(r"(^|/)\.gitattributes$")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of a commit that was looked up."""

    date: str
    tags: tuple[str, ...]


class BrokenError(DrydockError):
    """A repository that lacks what it says it has."""


def open_repository(place: str) -> "Repository":
    """Return the repository in a folder, bare or not; DrydockError if there is none.

    A folder inside somebody's repository is not itself a repository, nor a template with a history.
    """
    if not Path(place).is_dir():
        raise DrydockError(f"{place}: no such folder. If the template has moved, pass --template.")
    # The user has named this folder, so a bare repository is no surprise.
    asked = ["--is-inside-work-tree", "--absolute-git-dir", "--show-prefix"]
    result = git(place, "-c", "safe.bareRepository=all", "rev-parse", *asked, check=False)
    said = result.stderr.decode(errors="replace").strip()
    if "dubious ownership" in said:
        raise foreign(place)
    if result.returncode:
        first = said.partition("\n")[0]
        raise DrydockError(
            f"{place}: is not a git repository, so it has no commits to compare. {first}".strip()
        )
    inside, folder, prefix = result.stdout.decode(errors="surrogateescape").split("\n")[:3]
    if prefix:
        top = Path(place, *[".."] * prefix.rstrip("/").count("/"), "..").resolve()
        raise DrydockError(
            f"{place}: is not a git repository, but a folder of one. The template is {top}, "
            f"and its directory {prefix.rstrip('/')}."
        )
    if inside != "true" and Path(folder) != Path(place).resolve():
        raise DrydockError(f"{place}: is not a git repository, but a part of {folder}.")
    return Repository(place, Path(folder), Path(place) if inside == "true" else None)


def foreign(place: str) -> DrydockError:
    """Return the error of a repository that git does not trust."""
    return DrydockError(
        f"{place}: belongs to another user, so git refuses to read it. If you trust it: "
        f"git config --global --add safe.directory {place.removeprefix('file://')}"
    )


class Repository(Source):
    """A git repository on this machine; `top` is the folder of its working tree."""

    def __init__(self, url: str, folder: Path, top: Path | None = None) -> None:
        self.url, self.folder, self.top = url, folder, top
        self.left_out: dict[str, str] = {}
        self.fetched: set[str] = set()
        self.seen: dict[str, Seen] = {}

    def git(self, *arguments: str, check: bool = True, stdin: bytes = b"") -> str:
        """Run git on the repository; return what it printed, nothing if it failed unchecked."""
        result = git(None, f"--git-dir={self.folder}", *arguments, check=check, stdin=stdin)
        return "" if result.returncode else result.stdout.decode(errors="replace").strip()

    def find(self, name: str) -> str:
        """Return the full name of a commit, or nothing if there is none of that name."""
        if name in self.seen:
            return name
        # Everything that will be asked about the commit, because each start of git takes time.
        asked = ["show", "--no-patch", "--format=%H %cI %D", "--decorate-refs=refs/tags/*"]
        told = self.git(*asked, "--end-of-options", f"{name}^{{commit}}", check=False)
        if not told:
            return ""
        sha, date, *tags = told.split(" ", 2)
        names = tags[0].removeprefix("tag: ").split(", tag: ") if tags else []
        self.seen[sha] = Seen(date=date, tags=tuple(names))
        return sha

    def look(self, commit: str) -> "Seen":
        """Return what is known of a commit; DrydockError if there is no such commit."""
        return self.seen[self.resolve(commit)]

    def resolve(self, ref: str | None) -> str:
        """See Source."""
        name = ref or "HEAD"
        if name.startswith("-") or "\0" in name or ".." in name:
            raise DrydockError(f"{name!r}: is not a commit, tag or branch.")
        if sha := self.find(name):
            return sha
        raise DrydockError(f"{self.url}: {self.why_missing(ref)}")

    def why_missing(self, ref: str | None) -> str:
        """Return why there is no such commit, and what to do."""
        if ref is None and not self.git("for-each-ref", "--count=1", "refs/heads", check=False):
            return "has no commits yet."
        if ref is None:
            return (
                "its default branch does not exist. Name another with --to, or as `checkout` in "
                ".cruft.json."
            )
        if not HASH.fullmatch(ref):
            return (
                f"has no branch or tag {ref}; it may have been deleted. Name another with --to. If the "
                "record follows it, change `checkout` in .cruft.json; null is the default branch."
            )
        if self.git("rev-parse", "--is-shallow-repository", check=False) == "true":
            return (
                f"is a shallow clone, which lacks {ref}. `git fetch --unshallow` there gets the whole "
                "history."
            )
        return (
            f"{ref} does not exist: history may have been rewritten. `drydock init --force` finds the "
            "commit that fits this project best."
        )

    def name_of(self, ref: str) -> str | None:
        """See Source."""
        named = NAMED.fullmatch(self.git("rev-parse", "--symbolic-full-name", ref, check=False))
        return named and named[1]

    def commits_between(self, old: str, new: str) -> tuple[int, int]:
        """See Source."""
        ahead, behind = self.git("rev-list", "--left-right", "--count", f"{old}...{new}").split()
        return int(behind), int(ahead)

    def describe(self, commit: str) -> str:
        """See Source."""
        tags = self.look(commit).tags
        if not tags:
            return commit[:8]
        # Of several tags, git knows which one counts.
        several = len(tags) > 1
        tag = self.git("describe", "--tags", "--exact-match", commit) if several else tags[0]
        return f"{tag} ({commit[:8]})"

    def date(self, commit: str) -> str:
        """See Source."""
        return self.look(commit).date

    def commits(self, ref: str | None = None, paths: tuple[str, ...] = ()) -> list[str]:
        """See Source."""
        return self.git("rev-list", "--first-parent", self.resolve(ref), "--", *paths).split()

    def tree(self, commit: str, directory: str | None = None) -> Tree:
        """See Source. A link is the file it leads to, and a submodule its files if it is checked out."""
        # Not `git archive`: the template's own attributes could make it change files.
        arguments = ["ls-tree", "-r", "-z", "--full-tree", commit]
        listed = git(None, f"--git-dir={self.folder}", *arguments, check=False)
        if listed.returncode:
            raise self.broken(listed.stderr.decode(errors="replace").strip())
        entries = listing_of(listed.stdout)
        texts = self.blobs([sha for mode, _, sha in entries.values() if mode == LINK])
        targets = {
            path: texts[sha].decode(errors="surrogateescape")
            for path, (mode, _, sha) in entries.items()
            if mode == LINK
        }
        links = Links(entries, targets)
        where = f"{self.url} at {commit[:8]}"
        try:
            reached = list(links.walk(folder_of(directory)))
        except LookupError:
            raise no_folder(where, directory) from None
        if directory and not reached and not links.broken:
            raise no_folder(where, directory)
        self.left_out |= links.broken
        files = [place for place in reached if entries[place.entry][1] == "blob"]
        blobs = self.blobs([entries[place.entry][2] for place in files])
        contents = self.checked_out(
            commit, entries, {place.entry: blobs[entries[place.entry][2]] for place in files}
        )
        tree = {
            place.path: File(
                data=contents[place.entry],
                executable=entries[place.entry][0] == RUNNABLE,
                behind_link=place.behind_link,
            )
            for place in files
        }
        for place in reached:
            if entries[place.entry][1] == "commit":
                settings = entries.get(".gitmodules", ("", "", ""))[2]
                tree |= self.submodule(place.path, place.entry, entries[place.entry][2], settings)
        return tree

    def checked_out(
        self, commit: str, entries: Mapping[str, tuple[str, str, str]], files: dict[str, bytes]
    ) -> dict[str, bytes]:
        """Return a commit's files with CRLF where its attributes ask for that: cookiecutter has a checkout.

        `entries` are all of the commit's.
        """
        attributes = [sha for path, (_, _, sha) in entries.items() if ATTRIBUTES.search(path)]
        if not any(b"eol=crlf" in text for text in self.blobs(attributes).values()):
            return files
        with tempfile.TemporaryDirectory(prefix="drydock-") as name:
            self.add_history(Path(name), commit)
            git(name, "read-tree", commit)
            asked = ["check-attr", "--cached", "--stdin", "-z", "text", "eol"]
            paths = "\0".join(files).encode(errors="surrogateescape")
            told = git(name, *asked, stdin=paths).stdout.decode(errors="surrogateescape")
        words = told.split("\0")
        values = dict(zip(zip(words[::3], words[1::3], strict=False), words[2::3], strict=False))

        def content(path: str, data: bytes) -> bytes:
            text = values[path, "text"]
            is_crlf = values[path, "eol"] == "crlf" and text != "unset"
            # "auto" leaves it to git to look whether the file is text, with LF alone.
            if not is_crlf or (text == "auto" and (b"\0" in data or b"\r" in data)):
                return data
            return in_crlf(data)

        return {path: content(path, data) for path, data in files.items()}

    def add_history(self, folder: Path, commit: str) -> None:
        """See Source. Nothing is copied: the new repository reads this one's objects."""
        objects = self.folder / self.git("rev-parse", "--git-path", "objects")
        git(folder, "init", "--quiet", "--template=")
        alternates = folder / ".git" / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_text(f"{objects.absolute()}\n", encoding="utf-8")
        git(folder, "update-ref", "--no-deref", "HEAD", commit)

    def submodule(self, path: str, entry: str, commit: str, settings: str) -> Tree:
        """Return the files of a submodule, below a path; none, and why, if they cannot be had.

        `settings` is the object of the file that says where submodules are from; empty if there is none.
        """
        for inner in self.submodules(entry, settings):
            try:
                tree = inner.tree(inner.resolve(commit))
            except DrydockError:
                continue
            self.left_out |= {f"{path}/{name}": reason for name, reason in inner.left_out.items()}
            return {f"{path}/{name}": file for name, file in tree.items()}
        self.left_out[path] = self.why_no_submodule(commit)
        return {}

    def submodules(self, entry: str, settings: str) -> Iterator["Repository"]:
        """Yield the repositories that may have a submodule's commit."""
        for place in (self.top and self.top / entry, self.folder / "modules" / entry):
            if place is not None and ((place / ".git").exists() or (place / "HEAD").exists()):
                with contextlib.suppress(DrydockError):
                    yield open_repository(str(place))

    def why_no_submodule(self, commit: str) -> str:
        """Return why a submodule is left out."""
        return (
            f"it is a submodule, and its commit {commit[:8]} is not on this machine "
            "(`git submodule update --init` in a clone of the template gets it)"
        )

    def blobs(self, shas: list[str]) -> dict[str, bytes]:
        """Return the contents of objects by their names; DrydockError for more than a template may have."""
        if not shas:
            return {}
        try:
            objects = objects_of(self.folder, shas, LIMIT)
        except LookupError as error:
            raise self.broken(error.args[0]) from None
        if objects is None:
            raise DrydockError(f"{self.url}: has more than {LIMIT >> 20} MiB of files.")
        return objects

    def broken(self, reason: str) -> DrydockError:
        """Return the error of a repository that lacks something."""
        return BrokenError(
            f"{self.folder}: is broken ({reason}). Complete a partial clone with `git fetch --refetch`."
        )
