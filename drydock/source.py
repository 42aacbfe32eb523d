"""A template's files at a commit, from wherever the template lives; none of its code is ever run.

A local repository is read in place. A remote one has a bare mirror in the user's cache, kept fresh by a
cheap look at the remote's refs. An archive is one snapshot without a history.
"""

import hashlib
import io
import os
import posixpath
import re
import shutil
import subprocess
import tempfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from drydock.cache import default_cache, private
from drydock.errors import DrydockError
from drydock.tree import File, Tree

ABBREVIATIONS = {
    "gh": "https://github.com/{}.git",
    "gl": "https://gitlab.com/{}.git",
    "bb": "https://bitbucket.org/{}",
}
URL = re.compile(r"^([a-z][a-z0-9+.-]*://|[\w.-]+@[\w.-]+:)", re.IGNORECASE)
CREDENTIALS = re.compile(r"(://)[^/@\s]+@")
PROTOCOLS = "file:git:http:https:ssh"
SHA = re.compile(r"[0-9a-f]{40}")
# More than any template needs: a limit for hostile ones. Bytes.
LIMIT = 512 * 1024 * 1024
SECONDS = 30
Say = Callable[[str], None]


def expand(template: str) -> str:
    """Return the URL or the absolute path that a template's name stands for."""
    if template.startswith("-"):
        raise DrydockError(f"{template}: is not a template: a name cannot start with a hyphen.")
    prefix, colon, rest = template.partition(":")
    if colon and prefix in ABBREVIATIONS:
        return ABBREVIATIONS[prefix].format(rest)
    template = template.removeprefix("git+")
    if URL.match(template):
        return template
    return str(Path(template).expanduser().resolve())


def without_credentials(text: str) -> str:
    """Return a text without the user names and passwords in its URLs; an ssh URL keeps its login."""
    return re.sub(r"(?i)\b(https?|ftps?)://[^/@\s]+@", r"\1://", text)


class Source(ABC):
    """A template: its commits and their files."""

    url: str

    @abstractmethod
    def resolve(self, ref: str | None) -> str:
        """Return the full name of a commit, tag or branch; None is the newest of the default branch.

        DrydockError if there is no such commit.
        """

    @abstractmethod
    def commits_between(self, old: str, new: str) -> tuple[int, int]:
        """Return how many commits only `new` has, and how many only `old` has."""

    @abstractmethod
    def describe(self, commit: str) -> str:
        """Return a commit's name for people: its tag, if it has one, and its short hash."""

    @abstractmethod
    def date(self, commit: str) -> str:
        """Return the date of a commit in ISO 8601 format."""

    @abstractmethod
    def commits(self, ref: str | None = None) -> list[str]:
        """Return the commits of a branch's main line, the newest first."""

    @abstractmethod
    def tree(self, commit: str, directory: str | None = None) -> Tree:
        """Return a commit's files, or those of one folder; DrydockError if they cannot be read."""


def open_source(
    template: str,
    *,
    offline: bool = False,
    cache: Path | None = None,
    progress: Say | None = None,
) -> Source:
    """Return a template, fetched fresh; with `offline`, only what is cached.

    `template` is a path, a URL or an abbreviation such as gh:owner/name. DrydockError if it cannot
    be reached, or is neither a repository nor an archive.
    """
    place, say = expand(template), progress or (lambda words: None)
    cache = cache or default_cache()
    if place.endswith(".zip"):
        return Archive(place, offline=offline, cache=cache, say=say)
    if not URL.match(place):
        if not Path(place).is_dir():
            raise DrydockError(
                f"{place}: no such folder. If the template has moved, pass --template."
            )
        found = git(place, "rev-parse", "--absolute-git-dir", check=False)
        top = git(place, "rev-parse", "--show-toplevel", check=False).stdout.decode().strip()
        # A folder inside somebody's repository is not itself a repository, nor a template with a history.
        if found.returncode or (top and Path(top) != Path(place)):
            said = found.stderr.decode(errors="replace").strip().partition("\n")[0]
            raise DrydockError(
                f"{place}: is not a git repository, so it has no commits to compare. {said}".strip()
            )
        return Repository(place, Path(found.stdout.decode().strip()))
    return Repository(
        without_credentials(place), mirror(place, offline=offline, cache=cache, say=say), place
    )


def git(
    folder: str | Path | None,
    *words: str,
    check: bool = True,
    stdin: bytes = b"",
    protocols: str = "none",
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder; DrydockError with its output if it fails and `check` is set.

    `protocols` are those that it may use to reach another repository, separated by colons.
    """
    # A repository's own settings could name programs to run: none of these commands needs any. One
    # that says that it is a partial clone would have git fetch what is missing, by such a program.
    settings = ["core.hooksPath=/dev/null", "log.showSignature=false"]
    command = ["git", *(word for setting in settings for word in ("-c", setting))]
    if folder is not None:
        command += ["-C", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name not in LOCAL}
    environment |= {
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    try:
        result = subprocess.run(
            [*command, *words], input=stdin, capture_output=True, env=environment, check=False
        )
    except FileNotFoundError:
        raise DrydockError("git is not installed, and drydock needs it.") from None
    if check and result.returncode:
        said = without_credentials(result.stderr.decode(errors="replace")).strip()
        raise DrydockError(f"git {words[0]}: {said}")
    return result


def ask(folder: Path, command: str, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run `git fetch` or `git ls-remote`: the only commands that may reach another repository."""
    return git(folder, command, "--quiet", *words, check=False, protocols=PROTOCOLS)


# Variables by which git's own hooks point to a different repository from the requested one.
LOCAL = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CEILING_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR",
    "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE",
})  # fmt: skip


def mirror(url: str, *, offline: bool, cache: Path, say: Say) -> Path:
    """Return the folder of a bare mirror of a repository, made or refreshed unless `offline`."""
    shown = without_credentials(url)
    name = (
        re.sub(r"\W+", "-", shown.rstrip("/").removesuffix(".git").rpartition("/")[2]) or "template"
    )
    folder = cache / f"{name}-{hashlib.sha256(shown.encode()).hexdigest()[:16]}.git"
    if offline:
        if not folder.is_dir():
            raise DrydockError(
                f"{shown}: was never fetched to this machine; try without --offline."
            )
        return folder
    private(cache)
    with locked(folder.with_suffix(".lock"), say):
        if not folder.is_dir():
            say(f"Fetching {shown} ...")
            clone(url, folder)
        else:
            refresh(url, folder, say)
    return folder


def clone(url: str, folder: Path) -> None:
    """Make a mirror: next to its final place first, so that a broken one is never found there."""
    shown = without_credentials(url)
    partial = tempfile.mkdtemp(dir=folder.parent, prefix=".partial-")
    try:
        # Not `git clone`, which would write the URL, with any credentials in it, into its settings.
        git(partial, "init", "--quiet", "--bare")
        git(partial, "config", "gc.auto", "0")
        git(partial, "config", "remote.origin.url", shown)
        fetch(url, Path(partial))
        os.rename(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def fetch(url: str, folder: Path) -> None:
    """Bring a mirror's refs and HEAD up to date with the remote repository."""
    refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    result = ask(folder, "fetch", "--prune", "--no-auto-gc", url, *refs)
    if result.returncode:
        raise unreachable(url, result.stderr)
    head = ask(folder, "ls-remote", "--symref", url, "HEAD").stdout.decode()
    if match := re.match(r"ref: (refs/heads/\S+)\tHEAD", head):
        git(folder, "symbolic-ref", "HEAD", match[1])


def refresh(url: str, folder: Path, say: Say) -> None:
    """Fetch if the remote repository's refs differ from the mirror's."""
    asked = ask(folder, "ls-remote", url, "refs/heads/*", "refs/tags/*")
    if asked.returncode:
        raise unreachable(url, asked.stderr)
    lines = (line.split("\t") for line in asked.stdout.decode().splitlines() if "^{}" not in line)
    theirs = {ref: sha for sha, ref in lines}
    listed = git(
        folder,
        "for-each-ref",
        "--format=%(objectname) %(refname)",
        "refs/heads",
        "refs/tags",
        check=False,
    )
    if listed.returncode:
        raise DrydockError(f"{folder}: is broken. Delete it, and it will be made again.")
    found = (line.split(" ", 1) for line in listed.stdout.decode().splitlines())
    ours = {ref: sha for sha, ref in found}
    if ours != theirs:
        say(f"Fetching what is new in {without_credentials(url)} ...")
        fetch(url, folder)


def unreachable(url: str, stderr: bytes) -> DrydockError:
    """Return the error of a repository that does not answer."""
    said = without_credentials(stderr.decode(errors="replace")).strip().splitlines()
    return DrydockError(
        f"{without_credentials(url)}: cannot be fetched: {said[-1] if said else 'git says nothing'} "
        "If it has moved, pass --template; --offline uses what was fetched before."
    )


@contextmanager
def locked(path: Path, say: Say) -> Iterator[None]:
    """Hold a lock that other processes wait for."""
    try:
        import fcntl
    except ImportError:  # Windows: the rename of a finished mirror is the only guard there.
        yield
        return
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another drydock to fetch the same template ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Repository(Source):
    """A git repository on this machine: the template's own, or a mirror of it."""

    def __init__(self, url: str, folder: Path, remote: str | None = None) -> None:
        self.url, self.folder, self.remote = url, folder, remote

    def git(self, *words: str, check: bool = True, stdin: bytes = b"") -> str:
        """Run git on the repository; return what it printed, nothing if it failed unchecked."""
        result = git(None, f"--git-dir={self.folder}", *words, check=check, stdin=stdin)
        return "" if result.returncode else result.stdout.decode(errors="replace").strip()

    def resolve(self, ref: str | None) -> str:
        """See Source."""
        name = ref or "HEAD"
        if name.startswith("-") or "\0" in name:
            raise DrydockError(f"{name}: is not a commit, tag or branch.")
        words = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
        if found := self.git(*words, check=False):
            return found
        if self.remote and SHA.fullmatch(name):
            # A commit that is on no branch any more may still be available by its name.
            ask(self.folder, "fetch", self.remote, name)
            if found := self.git(*words, check=False):
                return found
        if ref is None:
            raise DrydockError(f"{self.url}: has no commits yet.")
        raise DrydockError(
            f"{self.url}: {name} does not exist: history may have been rewritten. "
            "`drydock init --force` finds the commit that fits this project best."
        )

    def commits_between(self, old: str, new: str) -> tuple[int, int]:
        """See Source."""
        ahead, behind = self.git("rev-list", "--left-right", "--count", f"{old}...{new}").split()
        return int(behind), int(ahead)

    def describe(self, commit: str) -> str:
        """See Source."""
        tag = self.git("describe", "--tags", "--exact-match", commit, check=False)
        return f"{tag} ({commit[:8]})" if tag else commit[:8]

    def date(self, commit: str) -> str:
        """See Source."""
        return self.git("show", "--no-patch", "--format=%cI", commit)

    def commits(self, ref: str | None = None) -> list[str]:
        """See Source."""
        return self.git("rev-list", "--first-parent", self.resolve(ref)).split()

    def tree(self, commit: str, directory: str | None = None) -> Tree:
        """See Source. Links within the tree are the files they lead to; submodules are left out."""
        # Not `git archive`: the template's own attributes could make it change files.
        listed = git(None, f"--git-dir={self.folder}", "ls-tree", "-r", "-z", "--full-tree", commit)
        entries = entries_of(listed.stdout)
        blobs = self.blobs([sha for _, sha in entries.values()])
        files: Tree = {}
        links: dict[str, str] = {}
        for path, (mode, sha) in entries.items():
            if mode == "120000":
                links[path] = blobs[sha].decode(errors="surrogateescape")
            else:
                files[path] = File(data=blobs[sha], executable=mode == "100755")
        return below(follow(files, links, self.url), directory, f"{self.url} at {commit[:8]}")

    def blobs(self, shas: list[str]) -> dict[str, bytes]:
        """Return the contents of objects by their names."""
        names = "\n".join(dict.fromkeys(shas)).encode()
        output = git(None, f"--git-dir={self.folder}", "cat-file", "--batch", stdin=names).stdout
        if len(output) > LIMIT:
            raise DrydockError(f"{self.url}: has more than {LIMIT >> 20} MiB of files.")
        try:
            return contents_of(output)
        except LookupError as error:
            raise DrydockError(
                f"{self.folder}: is broken ({error.args[0]}). Delete a mirror and it will be made "
                "again; complete a partial clone with `git fetch --refetch`."
            ) from None


def entries_of(output: bytes) -> dict[str, tuple[str, str]]:
    """Return mode and object of each path, from what `git ls-tree -r -z` prints; no submodules."""
    found = {}
    for line in filter(None, output.split(b"\0")):
        words, _, name = line.partition(b"\t")
        mode, kind, sha = words.decode().split()
        if kind == "blob":
            found[name.decode(errors="surrogateescape")] = (mode, sha)
    return found


def contents_of(output: bytes) -> dict[str, bytes]:
    """Return the contents of objects by name, from what `git cat-file --batch` prints.

    LookupError with git's words for one that is missing.
    """
    found, position = {}, 0
    while position < len(output):
        end = output.index(b"\n", position)
        words = output[position:end].decode().split()
        if len(words) != 3:
            raise LookupError(" ".join(words))
        size = int(words[2])
        found[words[0]] = output[end + 1 : end + 1 + size]
        position = end + size + 2
    return found


def follow(files: Tree, links: dict[str, str], where: str) -> Tree:
    """Return files, with links replaced by what they lead to; DrydockError if one leaves the tree."""
    tree = dict(files)
    for path in links:
        target = path
        for _ in range(10):
            if target not in links:
                break
            to = links[target]
            target = posixpath.normpath(posixpath.join(posixpath.dirname(target), to))
            if to.startswith("/") or target.startswith(".."):
                raise DrydockError(f"{where}: {path} is a link that leaves the template.")
        inside = [name for name in files if name.startswith(f"{target}/")]
        if target in files:
            tree[path] = files[target]
        elif inside:
            tree |= {path + name.removeprefix(target): files[name] for name in inside}
        else:
            raise DrydockError(f"{where}: {path} is a link that leads nowhere.")
    return tree


def below(tree: Tree, directory: str | None, where: str) -> Tree:
    """Return the files of a folder, their paths relative to it."""
    folder = posixpath.normpath(directory.strip("/")) if directory else "."
    if folder == ".":
        return tree
    found = {
        path.removeprefix(f"{folder}/"): file
        for path, file in tree.items()
        if path.startswith(f"{folder}/")
    }
    if not found:
        raise DrydockError(f"{where}: has no folder {directory}.")
    return found


class Archive(Source):
    """A zip file: one snapshot, whose name is the hash of its bytes."""

    def __init__(self, place: str, *, offline: bool, cache: Path, say: Say) -> None:
        self.url = without_credentials(place)
        try:
            data = (
                self.download(place, offline, cache, say)
                if URL.match(place)
                else Path(place).read_bytes()
            )
        except OSError as error:
            raise DrydockError(f"{self.url}: cannot be read: {error}") from None
        self.commit = hashlib.sha256(data).hexdigest()[:40]
        try:
            self.files = unzip(data, self.url)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise DrydockError(f"{self.url}: cannot be unpacked: {error}") from None

    def download(self, place: str, offline: bool, cache: Path, say: Say) -> bytes:
        """Return the bytes of a remote archive; with `offline`, those of the last time."""
        import requests  # Slow to import, and rarely needed.

        kept = cache / f"{hashlib.sha256(self.url.encode()).hexdigest()[:16]}.zip"
        if offline:
            if not kept.is_file():
                raise DrydockError(
                    f"{self.url}: was never fetched to this machine; try without --offline."
                )
            return kept.read_bytes()
        say(f"Fetching {self.url} ...")
        chunks: list[bytes] = []
        try:
            with requests.get(place, stream=True, timeout=SECONDS) as answer:
                answer.raise_for_status()
                for chunk in answer.iter_content(1 << 20):
                    chunks.append(chunk)
                    if sum(map(len, chunks)) > LIMIT:
                        raise DrydockError(f"{self.url}: is larger than {LIMIT >> 20} MiB.")
        except requests.RequestException as error:
            raise DrydockError(
                f"{self.url}: cannot be fetched: {without_credentials(str(error))}"
            ) from None
        data = b"".join(chunks)
        private(cache)
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_bytes(data)
        partial.replace(kept)
        return data

    def resolve(self, ref: str | None) -> str:
        """See Source."""
        if ref in (None, self.commit):
            return self.commit
        raise DrydockError(
            f"{self.url}: is an archive without a history, and not the one at {ref}. "
            "`drydock init --force` makes a new record."
        )

    def commits_between(self, old: str, new: str) -> tuple[int, int]:
        """See Source."""
        return 0, 0

    def describe(self, commit: str) -> str:
        """See Source."""
        return commit[:8]

    def date(self, commit: str) -> str:
        """See Source. An archive has none."""
        return ""

    def commits(self, ref: str | None = None) -> list[str]:
        """See Source."""
        return [self.resolve(ref)]

    def tree(self, commit: str, directory: str | None = None) -> Tree:
        """See Source."""
        return below(self.files, directory, self.url)


def unzip(data: bytes, where: str) -> Tree:
    """Return an archive's files without its single top folder; DrydockError for names that leave it."""
    tree, total = {}, 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            parts = entry.filename.split("/")
            mode = entry.external_attr >> 16
            if entry.filename.startswith("/") or "\\" in entry.filename or ".." in parts:
                raise DrydockError(f"{where}: {entry.filename!r} leaves the archive.")
            if mode & 0o170000 == 0o120000:
                raise DrydockError(f"{where}: {entry.filename!r} is a link.")
            if entry.is_dir():
                continue
            with archive.open(entry) as file:
                contents = file.read(LIMIT - total + 1)
            total += len(contents)
            if total > LIMIT:
                raise DrydockError(f"{where}: has more than {LIMIT >> 20} MiB of files.")
            tree[entry.filename] = File(data=contents, executable=bool(mode & 0o100))
    tops = {path.split("/")[0] for path in tree}
    if len(tops) == 1 and all("/" in path for path in tree):
        tree = {path.partition("/")[2]: file for path, file in tree.items()}
    return tree
