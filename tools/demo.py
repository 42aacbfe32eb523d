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
from contextlib import suppress
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
    server.terminate()
    sys.exit(f"{url} did not answer within {seconds:g} s: the reason is above.")


def main() -> None:
    """Generate, install, test and serve."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    print("1/4 Generating a project with SQLite and a local-memory cache ...", flush=True)
    project = Path(
        cookiecutter(str(ROOT), no_input=True, extra_context=ANSWERS, output_dir=str(OUTPUT))
    )
    # The project has its own environment, here with the Python that is there in place of its image's.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment["UV_PYTHON"] = sys.executable

    def run(*command: str) -> None:
        if status := subprocess.run(command, cwd=project, env=environment).returncode:
            sys.exit(f"`{' '.join(command)}` in {project} failed with status {status}.")

    print("2/4 Installing it ...", flush=True)
    run("make", "--no-print-directory", "install")
    print("3/4 Running its tests ...", flush=True)
    run("make", "--no-print-directory", "test")
    print("4/4 Serving it ...", flush=True)
    python = str(project / ".venv/bin/python")
    run(python, "manage.py", "migrate", "--verbosity", "0")
    run(python, "manage.py", "seed_readings", "--verbosity", "0")
    port = int(os.environ.get("DEMO_PORT") or free_port())
    command = [python, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=project, env=environment)
    with suppress(KeyboardInterrupt):
        wait_for(f"http://127.0.0.1:{port}/", server)
        print(
            f"\nIt is running: http://127.0.0.1:{port}/ (Ctrl-C stops it; the project is in {project})",
            flush=True,
        )
        server.wait()
    server.terminate()


if __name__ == "__main__":
    main()
