"""Backs up the uploaded files beside each backup of the database, and copies both to a bucket.

python docker/backup.py follow          whenever there is a backup of the database
python docker/backup.py now
python docker/backup.py pack            now, and copies nothing
python docker/backup.py restore NAME    those that came later stay
"""

import fcntl
import hashlib
import os
import signal
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from obstore import list as listed
from obstore import put
from obstore.store import from_url

BACKUPS = Path("/backups")
MEDIA = Path("/srv/media")


@contextmanager
def alone() -> Iterator[None]:
    """Let others wait: two would write the same archive."""
    with (BACKUPS / ".lock.part").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Padded:
    """A file that is as long as was said, though it may have become shorter."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def read(self, size: int = -1, /) -> bytes:
        """Return as many bytes as are asked for."""
        return self.file.read(size).ljust(size, b"\0")


def add(tar: tarfile.TarFile, path: Path) -> None:
    """Add a file or a folder, unless it is gone by now: the site goes on meanwhile."""
    name = str(path.relative_to(MEDIA))
    with suppress(FileNotFoundError):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                tar.addfile(tar.gettarinfo(arcname=name, fileobj=file), Padded(file))
        else:
            tar.add(path, name, recursive=False)


def pack(name: str) -> None:
    """Write the archive of a backup, and its checksum beside that of the database."""
    archive = BACKUPS / f"{name}.media.tar.gz"
    if archive.exists():
        return
    part = archive.with_suffix(".part")
    with tarfile.open(part, "w:gz") as tar:
        add(tar, MEDIA)
        for folder, folders, files in os.walk(MEDIA):
            for entry in (*folders, *files):
                add(tar, Path(folder, entry))
    with tarfile.open(part) as tar:
        count = sum(member.isfile() for member in tar)
    with part.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    part.rename(archive)
    with (BACKUPS / f"{name}.sha256").open("a") as file:
        file.write(f"{checksum}  {archive.name}\n")
    print(f"{name}: {count} uploaded files", flush=True)


def copy(url: str) -> None:
    """Copy what the bucket lacks; how long it stays there is the bucket's own rule."""
    # Without TLS only if AWS_ENDPOINT_URL says so.
    store = from_url(url, client_options={"allow_http": True})
    there = {entry["path"] for entries in listed(store) for entry in entries}
    for file in sorted(BACKUPS.iterdir()):
        if file.suffix != ".part" and file.name not in there:
            put(store, file.name, file)
            print(f"{file.name} is in {url}", flush=True)


def now(url: str) -> None:
    """Complete all backups, and copy them if there is a bucket."""
    with alone():
        for checksums in sorted(BACKUPS.glob("*.sha256")):
            pack(checksums.stem)
        if url:
            copy(url)


def attempt(url: str = os.environ.get("BACKUP_URL", "")) -> bool:
    """Do what there is to do; tell whether it worked, and print why not."""
    try:
        now(url)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        print(f"The backup of the files failed: {reason}", file=sys.stderr, flush=True)
        return False
    return True


def restore(name: str) -> None:
    """Put the files of a backup back."""
    archive = BACKUPS / f"{name}.media.tar.gz"
    if not archive.exists():
        print(f"{name} has no uploaded files: those that are here stay")
        return
    # The files have their own modes; nginx must be able to open the folders.
    os.umask(0o022)
    with tarfile.open(archive) as tar:
        tar.extractall(MEDIA, filter="data")


os.umask(0o077)
# A first process ends on a signal only if it says so.
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
match sys.argv[1:]:
    case ["follow"]:
        while True:
            attempt()
            time.sleep(60)
    case ["now"]:
        sys.exit(not attempt())
    case ["pack"]:
        sys.exit(not attempt(url=""))
    case ["restore", name]:
        restore(name)
    case _:
        sys.exit(__doc__)
