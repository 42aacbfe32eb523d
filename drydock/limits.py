"""Bounds on what the files of others may use: a template without an end, a text that no parser was made for."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from drydock.errors import DrydockError

try:
    import resource
except ImportError:  # Windows, which has no such bounds.
    resource = None  # type: ignore[assignment]

# A hundred times what large templates need.
SECONDS, SECONDS_PER_FILE = 30.0, 0.05
BYTES = 1 << 30


class TimeUp(BaseException):
    """Something needs too much time. Not an Exception: libraries that a template calls would swallow it."""


@contextmanager
def timed(seconds: float) -> Iterator[None]:
    """Raise TimeUp when the block has used so much processor time.

    There is no bound on Windows, nor outside of the main thread.
    """
    if resource is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def limited(files: int, where: str) -> Iterator[None]:
    """Bound processor time and memory while a template of so many files is rendered.

    DrydockError if the template needs more. There is no bound on Windows, nor outside of the main thread.
    """
    if resource is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    seconds = SECONDS + files * SECONDS_PER_FILE
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with timed(seconds):
            if bound := memory_bound(soft):
                resource.setrlimit(resource.RLIMIT_AS, (bound, hard))
            yield
    except TimeUp:
        raise DrydockError(f"{where}: takes more than {seconds:g} seconds to render.") from None
    except MemoryError:
        raise DrydockError(
            f"{where}: takes more than {BYTES >> 20} MiB of memory to render."
        ) from None
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def memory_bound(soft: int) -> int | None:
    """Return the address space that the process may have; None to leave it at `soft`."""
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:  # Only Linux tells, and only Linux enforces it.
        return None
    bound = used + BYTES
    return bound if soft == resource.RLIM_INFINITY or bound < soft else None
