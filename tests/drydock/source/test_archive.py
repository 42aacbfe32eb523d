"""A template in a zip file."""

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from drydock.errors import DrydockError
from drydock.source import archive, open_source
from drydock.tree import File
from tests.support.templates import Drydock, Template

KEY = "hunter2"


def zipped(files: dict[str, bytes], mode: int = 0o100644) -> bytes:
    """Return an archive of files, all of one mode."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, contents in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = mode << 16
            archive.writestr(entry, contents, zipfile.ZIP_DEFLATED)
    return data.getvalue()


def test_an_archive_is_a_snapshot(tmp_path: Path) -> None:
    place = tmp_path / "template.zip"
    place.write_bytes(zipped({"top/": b"", "top/a": b"1", "top/b/c": b"2"}, 0o100755))
    found = open_source(str(place))
    commit = found.resolve(None)
    assert found.resolve(commit) == commit
    assert found.commits() == [commit]
    assert found.commits_between(commit, commit) == (0, 0)
    assert found.describe(commit) == commit[:8]
    assert found.date(commit) == ""
    one, two = (File(data=data, executable=True) for data in (b"1", b"2"))
    assert found.tree(commit) == {"a": one, "b/c": two}
    assert found.tree(commit, "b") == {"c": two}
    with pytest.raises(DrydockError, match="without a history"):
        found.resolve("v1")


def test_a_project_of_an_archive_is_compared(
    template: Template, drydock: Drydock, tmp_path: Path
) -> None:
    project = template.generate(tmp_path / "out", record=False)
    files = {
        path: file.data
        for path, file in open_source(str(template.folder)).tree(template.head()).items()
    }
    (tmp_path / "t.zip").write_bytes(
        zipped({f"template-1.0/{path}": data for path, data in files.items()}, 0o100755)
    )
    (project / "README.md").chmod(0o755)
    for name in ("docker-compose.yml", "my.cnf"):
        (project / name).chmod(0o755)
    assert drydock("init", project, str(tmp_path / "t.zip")).exit_code == 0
    assert drydock("check", project).exit_code == 0
    (tmp_path / "t.zip").write_bytes(zipped({"top/cookiecutter.json": b"{}"}))
    result = drydock("check", project)
    assert result.exit_code == 2
    assert "drydock init --force" in result.stderr


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped({"../a": b"1"}), "leaves the archive"),
        (zipped({"/a": b"1"}), "leaves the archive"),
        (zipped({"a": b"/etc/hostname"}, 0o120777), "is a link"),
        (zipped({"a": b"0" * 5000}), "MiB"),
        (b"PK no archive", "cannot be unpacked"),
    ],
)
def test_a_hostile_archive_is_refused(
    data: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LIMIT", 4000)
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(DrydockError, match=said):
        open_source(str(tmp_path / "x.zip"))


def test_a_missing_archive_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DrydockError, match="cannot be read"):
        open_source(str(tmp_path / "x.zip"))


@pytest.fixture
def served() -> Iterator[str]:
    """Return the address of a server that has an archive."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.startswith("/t.zip") else 404)
            self.end_headers()
            self.wfile.write(zipped({"top/a": b"1"}))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://me:{KEY}@127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_archive_elsewhere_is_kept_for_offline(
    served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    place = f"{served}/t.zip"
    with pytest.raises(DrydockError, match="without --offline"):
        open_source(place, offline=True)
    found = open_source(place)
    assert KEY not in found.url
    assert open_source(place, offline=True).resolve(None) == found.resolve(None)
    with pytest.raises(DrydockError, match="404") as error:
        open_source(f"{served}/nothing.zip?token={KEY}")
    assert KEY not in str(error.value)
    monkeypatch.setattr(archive, "LIMIT", 10)
    with pytest.raises(DrydockError, match="larger than"):
        open_source(place)
