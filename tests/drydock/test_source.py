"""Where a template comes from: a repository, a mirror of it, or an archive."""

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from drydock import source
from drydock.errors import DrydockError
from drydock.source import expand, open_source, without_credentials
from drydock.tree import File
from tests.support.templates import FILES, QUESTIONS, TOP, Drydock, MakeTemplate, Template, git

KEY = "hunter2"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gh:owner/name", "https://github.com/owner/name.git"),
        ("gl:owner/name", "https://gitlab.com/owner/name.git"),
        ("bb:owner/name", "https://bitbucket.org/owner/name"),
        ("git+https://host/x.git", "https://host/x.git"),
        ("git@host:owner/x.git", "git@host:owner/x.git"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("/some/where", "/some/where"),
    ],
)
def test_names_are_expanded(name: str, expected: str) -> None:
    assert expand(name) == expected


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert expand("template") == str(tmp_path / "template")


def test_credentials_are_taken_out_of_urls() -> None:
    assert without_credentials(f"see https://me:{KEY}@host/x") == "see https://host/x"
    assert without_credentials(f"https://{KEY}@host/x") == "https://host/x"
    assert without_credentials("ssh://git@host/x") == "ssh://git@host/x"


@pytest.fixture
def url(template: Template) -> str:
    """Return a URL of a template that is not read in place."""
    return f"file://{template.folder}"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets each subcommand of git that is run."""
    made = []
    run = source.git

    def spy(folder: Any, *words: str, **options: Any) -> Any:  # noqa: ANN401
        made.append(next(word for word in words if not word.startswith("-")))
        return run(folder, *words, **options)

    monkeypatch.setattr(source, "git", spy)
    return made


def test_a_mirror_is_fetched_only_when_the_remote_has_changed(
    template: Template, url: str, calls: list[str], cache: Path
) -> None:
    said: list[str] = []
    first = open_source(url, progress=said.append)
    assert first.resolve(None) == template.head()
    assert len(said) == 1
    calls.clear()
    open_source(url, progress=said.append)
    assert "fetch" not in calls
    new = template.commit({"x": "y"})
    git(template.folder, "tag", "v1")
    git(template.folder, "branch", "side")
    moved = open_source(url, progress=said.append)
    assert calls.count("fetch") == 1
    assert {moved.resolve(name) for name in (None, "v1", "side", "main", new[:10])} == {new}
    assert moved.describe(new) == f"v1 ({new[:8]})"
    assert len(said) == 2
    assert cache.stat().st_mode & 0o077 == 0


def test_another_default_branch_is_followed(template: Template, url: str) -> None:
    open_source(url)
    git(template.folder, "checkout", "--quiet", "-b", "trunk")
    new = template.commit({"x": "y"})
    assert open_source(url).resolve(None) == new


def test_offline_asks_nobody(template: Template, url: str, calls: list[str]) -> None:
    with pytest.raises(DrydockError, match="without --offline"):
        open_source(url, offline=True)
    old = template.head()
    open_source(url)
    template.commit({"x": "y"})
    calls.clear()
    assert open_source(url, offline=True).resolve(None) == old
    assert not {"fetch", "ls-remote"} & {*calls}


def test_an_unreachable_template_names_the_way_out(
    template: Template, url: str, cache: Path
) -> None:
    open_source(url)
    template.folder.rename(template.folder.with_name("elsewhere"))
    with pytest.raises(DrydockError, match="--offline"):
        open_source(url)
    with pytest.raises(DrydockError, match="--template"):
        open_source(f"{url}-never-there")
    assert [path.suffix for path in sorted(cache.iterdir())].count(".git") == 1
    assert not list(cache.glob(".partial*"))


def test_a_commit_that_was_rewritten_away_stays_in_the_mirror(template: Template, url: str) -> None:
    lost = template.commit({f"{TOP}/lost.txt": "x"})
    open_source(url)
    git(template.folder, "reset", "--quiet", "--hard", "HEAD~1")
    template.commit({"other": "x"})
    moved = open_source(url)
    assert moved.resolve(lost) == lost
    assert f"{TOP}/lost.txt" in moved.tree(lost)
    assert moved.commits_between(lost, moved.resolve(None)) == (1, 1)
    with pytest.raises(DrydockError, match="may have been rewritten"):
        moved.resolve("0123456789" * 4)


def test_a_commit_of_no_branch_is_asked_for_by_name(template: Template, url: str) -> None:
    git(template.folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    lost = template.commit({"lost": "x"})
    git(template.folder, "reset", "--quiet", "--hard", "HEAD~1")
    assert open_source(url).resolve(lost) == lost


def test_a_broken_mirror_says_what_to_delete(url: str, cache: Path) -> None:
    open_source(url)
    (mirror,) = cache.glob("*.git")
    (mirror / "HEAD").write_text("nonsense")
    with pytest.raises(DrydockError, match=r"is broken. Delete it"):
        open_source(url)


def test_two_at_once_clone_once(template: Template, url: str, calls: list[str]) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(open_source(url).resolve(None)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [template.head()] * 4
    assert calls.count("fetch") == 1


def test_who_waits_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    waiting = threading.Event()

    def tell(words: str) -> None:
        said.append(words)
        waiting.set()

    def second() -> None:
        with source.locked(tmp_path / "lock", tell):
            pass

    with source.locked(tmp_path / "lock", tell):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(10)
    thread.join()
    assert said == ["Waiting for another drydock to fetch the same template ..."]


def test_credentials_are_neither_kept_nor_shown(
    cache: Path, drydock: Drydock, project: Path, template: Template
) -> None:
    place = f"http://me:{KEY}@127.0.0.1:1/template.git"
    with pytest.raises(DrydockError) as error:
        open_source(place)
    assert KEY not in str(error.value)
    record = project / ".cruft.json"
    record.write_text(record.read_text().replace(str(template.folder), place))
    result = drydock("check", project)
    assert result.exit_code == 2
    assert KEY not in result.output
    kept = [path.read_bytes() for path in cache.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in data for data in kept)


def test_a_mirror_is_made_without_the_credentials_of_its_url(
    template: Template, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"https://me:{KEY}@host.example/template.git"
    run = source.git

    def local(folder: Any, *words: str, **options: Any) -> Any:  # noqa: ANN401
        there = [str(template.folder) if word == place else word for word in words]
        return run(folder, *there, **options)

    monkeypatch.setattr(source, "git", local)
    found = open_source(place)
    assert found.url == "https://host.example/template.git"
    assert found.resolve(None) == template.head()
    kept = [path.read_bytes() for path in cache.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in data for data in kept)


def test_a_local_repository_is_read_in_place(template: Template, cache: Path) -> None:
    (template.folder / TOP / "README.md").write_text("not committed")
    found = open_source(str(template.folder))
    tree = found.tree(template.head())
    assert tree[f"{TOP}/README.md"].text == FILES[f"{TOP}/README.md"]
    assert tree[f"{TOP}/run.sh"].executable
    assert not tree[f"{TOP}/README.md"].executable
    assert not cache.exists()
    bare = template.folder.with_name("bare.git")
    git(template.folder, "clone", "--quiet", "--bare", ".", str(bare))
    assert open_source(str(bare)).tree(template.head()) == tree


def test_a_folder_of_a_repository_is_the_template(
    make_template: MakeTemplate, drydock: Drydock, tmp_path: Path
) -> None:
    inner = make_template(name="inner")
    outer = make_template({f"sub/{path}": text for path, text in FILES.items()}, name="outer")
    outer.commit({"sub/cookiecutter.json": (inner.folder / "cookiecutter.json").read_text()})
    project = inner.generate(tmp_path / "out")
    record = project / ".cruft.json"
    text = record.read_text().replace(str(inner.folder), str(outer.folder))
    text = text.replace(inner.head(), outer.head()).replace(
        '"directory": null', '"directory": "sub"'
    )
    record.write_text(text)
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    record.write_text(text.replace('"sub"', '"nowhere"'))
    assert "has no folder nowhere" in drydock("check", project).stderr


def test_attributes_of_the_template_change_no_file(template: Template) -> None:
    attributes = "*.md export-ignore\n*.txt export-subst\n"
    commit = template.commit({".gitattributes": attributes, "a.txt": "$Format:%H$\n"})
    tree = open_source(str(template.folder)).tree(commit)
    assert tree["a.txt"].text == "$Format:%H$\n"
    assert f"{TOP}/README.md" in tree


def link(template: Template, path: str, target: str) -> str:
    """Commit a symbolic link; return the commit."""
    (template.folder / path).symlink_to(target)
    return template.commit({})


def test_links_within_the_template_are_followed(template: Template) -> None:
    link(template, f"{TOP}/again.md", "README.md")
    link(template, f"{TOP}/twice.md", "again.md")
    commit = link(template, "folder", TOP)
    tree = open_source(str(template.folder)).tree(commit)
    assert tree[f"{TOP}/twice.md"] == tree[f"{TOP}/README.md"]
    assert tree["folder/run.sh"] == tree[f"{TOP}/run.sh"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/etc/hostname", "leaves the template"),
        ("../../x", "leaves the template"),
        ("nothing", "leads nowhere"),
        ("link", "leads nowhere"),
    ],
)
def test_links_that_leave_are_refused(target: str, said: str, template: Template) -> None:
    commit = link(template, f"{TOP}/link", target)
    with pytest.raises(DrydockError, match=said):
        open_source(str(template.folder)).tree(commit)


@pytest.mark.parametrize("form", ["{}", "file://{}"], ids=["path", "url"])
def test_a_partial_clone_runs_no_program_to_get_the_rest(
    form: str, template: Template, tmp_path: Path
) -> None:
    head, ran = template.head(), tmp_path / "ran"
    blob = git(template.folder, "rev-parse", f"HEAD:{TOP}/README.md")
    (template.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": f"touch {ran}; git-upload-pack",
        "remote.origin.url": str(tmp_path),
    }.items():
        git(template.folder, "config", key, value)
    with pytest.raises(DrydockError, match=r"is broken|cannot be fetched"):
        open_source(form.format(template.folder)).tree(head)
    assert not ran.exists()


def test_submodules_are_left_out(template: Template) -> None:
    git(template.folder, "update-index", "--add", "--cacheinfo", f"160000,{template.head()},sub")
    git(template.folder, "commit", "--quiet", "--message", "sub")
    assert "sub" not in open_source(str(template.folder)).tree(template.head())


def test_too_large_a_template_is_refused(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "LIMIT", 10)
    with pytest.raises(DrydockError, match="MiB"):
        open_source(str(template.folder)).tree(template.head())


def test_an_empty_repository_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(DrydockError, match="has no commits yet"):
        open_source(str(tmp_path / "empty")).resolve(None)


def test_without_git_it_says_so(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DrydockError, match="git is not installed"):
        open_source(str(template.folder))


def test_a_date_is_that_of_the_commit(template: Template) -> None:
    assert open_source(str(template.folder)).date(template.head()).startswith("20")


def zipped(files: dict[str, bytes], mode: int = 0o100644) -> bytes:
    """Return an archive of files that all have the same mode."""
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
    monkeypatch.setattr(source, "LIMIT", 4000)
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(DrydockError, match=said):
        open_source(str(tmp_path / "x.zip"))


def test_a_missing_archive_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DrydockError, match="cannot be read"):
        open_source(str(tmp_path / "x.zip"))


@pytest.fixture
def served() -> Iterator[str]:
    """Return the address of a server that serves an archive."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/t.zip" else 404)
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
        open_source(f"{served}/nothing.zip")
    assert KEY not in str(error.value)
    monkeypatch.setattr(source, "LIMIT", 10)
    with pytest.raises(DrydockError, match="larger than"):
        open_source(place)


def test_the_questions_are_those_of_the_commit(template: Template) -> None:
    assert "database" in QUESTIONS
    old = template.head()
    template.commit({"cookiecutter.json": "{}"})
    assert b"database" in open_source(str(template.folder)).tree(old)["cookiecutter.json"].data
