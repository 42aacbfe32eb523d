"""A template in a zip file: one snapshot without a history."""

import hashlib
import io
import zipfile
from pathlib import Path

from drydock.cache import private
from drydock.errors import DrydockError
from drydock.source.address import URL, hidden, without_credentials
from drydock.source.base import LIMIT, Say, Source, folder_of, never_fetched, no_folder
from drydock.source.locks import lock_of, locked, replacement, sweep
from drydock.tree import File, Tree

# How long a server may stay silent.
SECONDS = 30


class Archive(Source):
    """A zip file: one snapshot, whose name is the hash of its bytes."""

    def __init__(self, place: str, *, offline: bool, cache: Path, say: Say) -> None:
        self.url = without_credentials(place)
        self.left_out: dict[str, str] = {}
        self.fetched: set[str] = set()
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

        name = f"{hashlib.sha256(self.url.encode()).hexdigest()[:16]}.zip"
        kept = cache / name
        if offline:
            if not kept.is_file():
                raise never_fetched(self.url)
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
                f"{self.url}: cannot be fetched: {reason(error, place)} --offline uses what was fetched before."
            ) from None
        data = b"".join(chunks)
        private(cache)
        sweep(cache)
        with locked(lock_of(cache, name), say), replacement(cache, name) as partial:
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

    def name_of(self, ref: str) -> str | None:
        """See Source. An archive has none."""
        return None

    def commits_between(self, old: str, new: str) -> tuple[int, int]:
        """See Source."""
        return 0, 0

    def describe(self, commit: str) -> str:
        """See Source."""
        return commit[:8]

    def date(self, commit: str) -> str:
        """See Source. An archive has none."""
        return ""

    def commits(self, ref: str | None = None, paths: tuple[str, ...] = ()) -> list[str]:
        """See Source."""
        return [self.resolve(ref)]

    def add_history(self, folder: Path, commit: str) -> None:
        """See Source. An archive has none."""

    def tree(self, commit: str, directory: str | None = None) -> Tree:
        """See Source."""
        folder = folder_of(directory)
        prefix = "" if folder == "." else f"{folder}/"
        found = {
            path.removeprefix(prefix): file
            for path, file in self.files.items()
            if path.startswith(prefix)
        }
        if prefix and not found:
            raise no_folder(self.url, directory)
        return found


def reason(error: Exception, place: str) -> str:
    """Return why a download failed, in a sentence without credentials."""
    from requests import Timeout

    if isinstance(error, Timeout):
        return f"the server did not answer within {SECONDS} seconds."
    return f"{hidden(str(error), place).rstrip('.')}."


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
