"""A template elsewhere: a bare mirror of it in the user's cache, kept fresh by a cheap look at its refs."""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drydock.cache import private
from drydock.errors import DrydockError
from drydock.source.address import URL, without_credentials
from drydock.source.base import Say, never_fetched
from drydock.source.git import ask, git
from drydock.source.locks import lock_of, locked, replacement, sweep
from drydock.source.locks import remove as remove_folder
from drydock.source.repository import SHA, BrokenError, Repository, foreign
from drydock.tree import Tree

# Submodules of submodules.
DEEPEST = 4
REFS = ("refs/heads/*", "refs/tags/*")
DETACHED = "refs/drydock/HEAD"


@dataclass(frozen=True, kw_only=True)
class Refs:
    """What a repository elsewhere has: the commit of each branch and tag, and what its HEAD is.

    `branch` is the default one, if there is one; `head` its commit.
    """

    commits: dict[str, str]
    branch: str | None
    head: str | None


class Mirror(Repository):
    """A mirror of a repository elsewhere, made or refreshed unless `offline`; a broken one is made again."""

    def __init__(
        self, address: str, *, offline: bool, cache: Path, say: Say, depth: int = 0
    ) -> None:
        url = without_credentials(address)
        last = url.rstrip("/").removesuffix(".git").rpartition("/")[2]
        readable = re.sub(r"\W+", "-", last) or "template"
        self.name = f"{readable}-{hashlib.sha256(url.encode()).hexdigest()[:16]}.git"
        self.address, self.offline, self.cache, self.say = address, offline, cache, say
        self.depth = depth
        # The commit of HEAD, if it is known without another look.
        self.head: str | None = None
        super().__init__(url, cache / self.name)
        if not offline:
            private(cache)
            sweep(cache)
            self.refresh()
        elif not self.folder.is_dir():
            raise never_fetched(url)

    def find(self, name: str) -> str:
        """See Repository. A commit that is on no branch any more may still be available by its name."""
        sha = super().find(self.head if name == "HEAD" and self.head else name)
        if sha or self.offline or not SHA.fullmatch(name):
            return sha
        self.ask(self.folder, "fetch", "--no-write-fetch-head", self.address, name)
        return super().find(name)

    def tree(self, commit: str, directory: str | None = None) -> Tree:
        """See Source."""
        try:
            return super().tree(commit, directory)
        except BrokenError:
            if self.offline:
                raise
        with locked(lock_of(self.cache, self.name), self.say):
            self.make_again()
        return super().tree(super().resolve(commit), directory)

    def submodule(self, path: str, entry: str, commit: str, settings: str) -> Tree:
        """See Repository. Only what a project may be rendered from is fetched."""
        top = path.partition("/")[0]
        if "cookiecutter" not in top and top not in ("templates", "hooks") and not self.depth:
            return {}
        tree = super().submodule(path, entry, commit, settings)
        self.fetched |= {path} if tree else set()
        return tree

    def submodules(self, entry: str, settings: str) -> Iterator[Repository]:
        """See Repository."""
        address = address_of(self.settings_of(settings).get(entry, ""), self.address)
        if address and self.depth < DEEPEST:
            with contextlib.suppress(DrydockError):
                yield Mirror(
                    address, offline=self.offline, cache=self.cache, say=self.say, depth=self.depth + 1
                )  # fmt: skip

    def settings_of(self, blob: str) -> dict[str, str]:
        """Return the address of each submodule by its path."""
        asked = [
            "config",
            f"--blob={blob}",
            "--null",
            "--get-regexp",
            r"^submodule\..*\.(path|url)$",
        ]
        values: dict[str, dict[str, str]] = {}
        for line in filter(None, self.git(*asked, check=False).split("\0") if blob else ()):
            key, _, value = line.partition("\n")
            name, _, what = key.rpartition(".")
            values.setdefault(name, {})[what] = value
        return {pair.get("path", ""): pair.get("url", "") for pair in values.values()}

    def why_no_submodule(self, commit: str) -> str:
        """See Repository."""
        return f"it is a submodule, and its commit {commit[:8]} cannot be fetched"

    def broken(self, reason: str) -> DrydockError:
        """See Repository."""
        return BrokenError(
            f"{self.folder}: is broken ({reason}). Without --offline it is made again."
        )

    def ask(self, folder: Path, *arguments: str) -> tuple[int, str, str]:
        """Run git on the repository elsewhere; return its status, its output and its errors."""
        result = ask(folder, self.address, *arguments)
        output, errors = (text.decode(errors="replace") for text in (result.stdout, result.stderr))
        return result.returncode, output, errors.strip()

    def make(self) -> None:
        """Make the mirror: next to its final place first, so that an incomplete one is never found there."""
        with replacement(self.cache, self.name) as partial:
            # Not `git clone`, which would write the URL, with any credentials in it, into its settings.
            git(None, "init", "--quiet", "--bare", "--template=", str(partial))
            for setting in (("gc.auto", "0"), ("remote.origin.url", self.url)):
                git(None, f"--git-dir={partial}", "config", *setting)
            self.fetch(partial, self.theirs(partial))
            remove_folder(self.folder)
            os.rename(partial, self.folder)

    def make_again(self) -> None:
        """Replace a mirror that is broken."""
        self.say(f"The mirror of {self.url} is broken. Fetching it again ...")
        self.make()
        self.seen.clear()

    def refresh(self) -> None:
        """Make the mirror, or fetch, unless it has the refs of the repository elsewhere already."""
        ours = self.ours()
        theirs = None if ours is None else self.theirs(self.folder)
        if theirs and ours == theirs.commits and self.has_head(theirs):
            self.head = theirs.head
            return
        # Only what writes takes the lock: it is slow to import, and most of the time nothing is new.
        with locked(lock_of(self.cache, self.name), self.say):
            ours = self.ours()  # Another drydock may have written while this one waited.
            if ours is None and self.folder.is_dir():
                return self.make_again()
            if ours is None:
                self.say(f"Fetching {self.url} ...")
                return self.make()
            theirs = theirs or self.theirs(self.folder)
            if ours == theirs.commits and theirs.branch:
                return self.set_head(self.folder, theirs)
            self.say(f"Fetching what is new in {self.url} ...")
            self.fetch(self.folder, theirs)

    def ours(self) -> dict[str, str] | None:
        """Return the commit of each branch and tag of the mirror; None if it is broken, or there is none."""
        if not self.folder.is_dir():
            return None
        # The type is asked for because that is in the object, which may be missing.
        form = "--format=%(objectname) %(objecttype) %(refname)"
        arguments = ["for-each-ref", form, "refs/heads", "refs/tags"]
        listed = git(None, f"--git-dir={self.folder}", *arguments, check=False)
        if listed.returncode:
            return None
        # Not splitlines: a name may have what that takes for the end of a line.
        names = listed.stdout.decode(errors="replace").removesuffix("\n").split("\n")
        lines = (line.split(" ", 2) for line in filter(None, names))
        return {ref: sha for sha, _, ref in lines}

    def theirs(self, folder: Path) -> Refs:
        """Return what the repository elsewhere has; `folder` is any repository here."""
        status, output, errors = self.ask(
            folder, "ls-remote", "--symref", self.address, "HEAD", *REFS
        )
        if status:
            raise unreachable(self.url, errors)
        commits: dict[str, str] = {}
        branch = None
        for line in output.split("\n"):
            what, _, name = line.partition("\t")
            if what.startswith("ref: ") and name == "HEAD":
                branch = what.removeprefix("ref: ")
            elif SHA.fullmatch(what) and not name.endswith("^{}"):
                commits[name] = what
        return Refs(commits=commits, branch=branch, head=commits.pop("HEAD", None))

    def fetch(self, folder: Path, theirs: Refs) -> None:
        """Bring a mirror's refs and HEAD up to date."""
        specs = [f"+{ref}:{ref}" for ref in REFS]
        if theirs.head and not theirs.branch:
            specs.append(f"+HEAD:{DETACHED}")
        options = ["--prune", "--no-auto-gc", "--no-tags", "--no-write-fetch-head"]
        options += ["--no-recurse-submodules", "--update-shallow"]
        status, _, errors = self.ask(folder, "fetch", *options, self.address, *specs)
        if status:
            raise unreachable(self.url, errors)
        self.set_head(folder, theirs)

    def has_head(self, theirs: Refs) -> bool:
        """Tell whether the mirror's HEAD is that of the repository elsewhere."""
        head = f"ref: {theirs.branch}" if theirs.branch else theirs.head
        return head is None or (self.folder / "HEAD").read_bytes() == f"{head}\n".encode()

    def set_head(self, folder: Path, theirs: Refs) -> None:
        """Let a mirror's HEAD be that of the repository elsewhere."""
        place = f"--git-dir={folder}"
        if theirs.branch:
            git(None, place, "symbolic-ref", "HEAD", theirs.branch)
        elif theirs.head:
            git(None, place, "update-ref", "--no-deref", "HEAD", theirs.head)


def address_of(address: str, base: str) -> str:
    """Return a submodule's address, which may be relative to that of its repository; "" if it is none to ask.

    A template elsewhere has no business with this machine's files.
    """
    if address.startswith(("./", "../")):
        base = base.rstrip("/")
        while address.startswith(("./", "../")):
            up, _, address = address.partition("/")
            base = base.rpartition("/")[0] if up == ".." else base
        return f"{base}/{address}" if URL.match(f"{base}/") else ""
    is_file = address.lower().startswith("file:")
    return address if URL.match(address) and (base.startswith("file:") or not is_file) else ""


def unreachable(url: str, errors: str) -> DrydockError:
    """Return the error of a repository that does not answer as it should."""
    if "dubious ownership" in errors:
        return foreign(url)
    # What follows a blank line is git's advice.
    said = "; ".join(line.rstrip(".") for line in errors.partition("\n\n")[0].splitlines())
    return DrydockError(
        f"{url}: cannot be fetched: {said or 'git says nothing'}. If it has moved, pass --template; "
        "--offline uses what was fetched before."
    )
