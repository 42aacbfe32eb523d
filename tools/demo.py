"""Generate a project with the embedded answers, test it, and serve it on loopback until Ctrl-C.

The port is DEMO_PORT, or the first free one from 8000 up.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / ".demo"
ANSWERS = {"database": "sqlite", "cache": "locmem"}


def free_port(first: int = 8000) -> int:
    """Return the first free port from `first` up."""
    for port in range(first, first + 1000):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    sys.exit(f"No port is free between {first} and {first + 999}: set DEMO_PORT.")


def wait_for(url: str, server: subprocess.Popen[bytes], seconds: float = 30) -> None:
    """Return when `url` answers 200; exit if the server ends or time runs out."""
    limit = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < limit:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310
            return
        time.sleep(0.2)
    sys.exit(f"{url} did not answer within {seconds:g} s: the reason is above.")


def environment() -> dict[str, str]:
    """Return the environment of a project's commands: they find uv beside this Python, and use this one.

    The project asks for the Python of its image, which this machine need not have.
    """
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return variables | {"PATH": path, "UV_PYTHON": sys.executable}


@dataclass(frozen=True)
class Demo:
    """A project of the sample application that needs no other server."""

    folder: Path

    @classmethod
    def generate(cls, output: Path) -> "Demo":
        """Generate it into a folder."""
        made = cookiecutter(
            str(ROOT),
            no_input=True,
            default_config=True,
            extra_context=ANSWERS,
            output_dir=str(output),
        )
        return cls(Path(made))

    def run(self, *command: str) -> None:
        """Run a command in it; exit if that fails."""
        if status := subprocess.run(command, cwd=self.folder, env=environment()).returncode:
            sys.exit(f"`{' '.join(command)}` in {self.folder} failed with status {status}.")

    def make(self, target: str) -> None:
        """Run one of its make targets."""
        self.run("make", "--no-print-directory", target)

    def manage(self, *words: str) -> list[str]:
        """Return a command of its manage.py."""
        return [str(self.folder / ".venv/bin/python"), "manage.py", *words]

    def fill(self, *options: str) -> None:
        """Make the database, with readings to look at."""
        self.run(*self.manage("migrate", "--verbosity", "0"))
        self.run(*self.manage("seed_readings", "--verbosity", "0", *options))

    @contextmanager
    def served(self, port: int) -> Iterator[subprocess.Popen[bytes]]:
        """Serve it on loopback until the end of the block."""
        command = self.manage("runserver", "--noreload", f"127.0.0.1:{port}")
        server = subprocess.Popen(command, cwd=self.folder, env=environment())
        try:
            wait_for(f"http://127.0.0.1:{port}/", server)
            yield server
        finally:
            server.terminate()
            server.wait()


def main() -> None:
    """Generate, install, test and serve."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    print("1/4 Generating a project with SQLite and a local-memory cache ...", flush=True)
    demo = Demo.generate(OUTPUT)
    print("2/4 Installing it ...", flush=True)
    demo.make("install")
    print("3/4 Running its tests ...", flush=True)
    demo.make("test")
    print("4/4 Serving it ...", flush=True)
    demo.fill()
    port = int(os.environ.get("DEMO_PORT") or free_port())
    with suppress(KeyboardInterrupt), demo.served(port) as server:
        print(
            f"\nIt is running: http://127.0.0.1:{port}/ (Ctrl-C stops it; the project is in {demo.folder})",
            flush=True,
        )
        server.wait()


if __name__ == "__main__":
    main()
