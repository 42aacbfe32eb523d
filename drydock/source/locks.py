"""Locks between processes, and what those that died have left over."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drydock.source.base import Say

PARTIAL = ".partial-"


@contextmanager
def locked(path: Path, say: Say) -> Iterator[None]:
    """Hold a lock that other processes wait for."""
    from filelock import FileLock, Timeout  # Slow to import, and rarely needed.

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("Waiting for another drydock to fetch the same template ...")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def replacement(cache: Path, name: str) -> Iterator[Path]:
    """Give a path at which to make what is then moved to its place; whatever stays there is removed.

    The caller holds the lock of that name.
    """
    path = cache / f"{PARTIAL}{name}"
    remove(path)
    try:
        yield path
    finally:
        remove(path)


def sweep(cache: Path) -> None:
    """Remove what other processes began and did not finish, unless they are still at it."""
    for path in cache.glob(f"{PARTIAL}*"):
        from filelock import FileLock, Timeout  # Slow to import, and rarely needed.

        lock = lock_of(cache, path.name.removeprefix(PARTIAL))
        if not lock.exists():
            remove(path)
            continue
        try:
            with FileLock(lock, timeout=0):
                remove(path)
        except Timeout:
            continue


def lock_of(cache: Path, name: str) -> Path:
    """Return the path of a name's lock."""
    return cache / f"{name}.lock"


def remove(path: Path) -> None:
    """Remove a file or a folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
