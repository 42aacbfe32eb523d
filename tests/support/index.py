"""A package index of this machine: no network, and versions that a test decides."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from zipfile import ZipFile


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; its listings are what an index answers."""

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@contextmanager
def serve(folder: Path) -> Iterator[dict[str, str]]:
    """Serve a folder of wheels; give the variables that make it the only index of uv, pip and Pipenv."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield {
            "PIPENV_PYPI_MIRROR": url,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_INDEX_URL": url,
            "UV_DEFAULT_INDEX": url,
            "UV_NO_CONFIG": "1",
        }
        server.shutdown()


def publish(folder: Path, name: str, version: str, *requires: str) -> str:
    """Add a wheel without code to a folder; return its line for a requirements file."""
    path = folder / name / f"{name}-{version}-py3-none-any.whl"
    path.parent.mkdir(exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    files = {
        "METADATA": "\n".join(lines) + "\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(f"{name}-{version}.dist-info/{file}", text)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{name}=={version} \\\n    --hash=sha256:{checksum}\n"
