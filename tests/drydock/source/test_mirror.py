"""A template elsewhere, and its mirror here."""

import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from drydock.errors import DrydockError
from drydock.source import git as git_module
from drydock.source import locks, mirror, open_source
from tests.support.templates import TOP, Drydock, MakeTemplate, Template, git

KEY = "hunter2"


@pytest.fixture
def url(template: Template) -> str:
    """Return a URL of a template that is not read in place."""
    return f"file://{template.folder}"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the subcommands of git that ask another repository, as they are run."""
    made = []
    run = git_module.ask

    def spy(folder: Path, url: str, *words: str) -> Any:  # noqa: ANN401
        made.append(words[0])
        return run(folder, url, *words)

    monkeypatch.setattr(mirror, "ask", spy)
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


def test_a_default_branch_that_was_switched_is_followed(template: Template, url: str) -> None:
    old = template.head()
    new = template.commit({"x": "y"})
    git(template.folder, "branch", "trunk", old)
    assert open_source(url).resolve(None) == new
    git(template.folder, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert open_source(url).resolve(None) == old
    git(template.folder, "checkout", "--quiet", "--detach", new)
    assert open_source(url).resolve(None) == new
    git(template.folder, "checkout", "--quiet", "main")
    assert open_source(url).resolve(None) == new


def test_a_head_of_no_branch_is_followed(template: Template, url: str) -> None:
    git(template.folder, "checkout", "--quiet", "--detach")
    open_source(url)
    new = template.commit({"x": "y"})
    assert open_source(url).resolve(None) == new


def test_a_branch_may_have_any_name(template: Template, url: str, cache: Path) -> None:
    for name in (b"a\xe2\x80\xa8b", b"a\xc2\x85b", b"caf\xe9"):
        git(template.folder, "branch", os.fsdecode(name))
    template.commit({"x": "y"})
    open_source(url)
    source = open_source(url)
    assert isinstance(source, mirror.Mirror)
    # Nothing is new, so nothing needs the lock.
    with locks.locked(locks.lock_of(cache, source.name), print):
        assert open_source(url, progress=pytest.fail).resolve(None) == template.head()


def test_a_mirror_that_has_everything_waits_for_nobody(
    template: Template, url: str, cache: Path
) -> None:
    source = open_source(url)
    assert isinstance(source, mirror.Mirror)
    with locks.locked(locks.lock_of(cache, source.name), print):
        assert open_source(url, progress=pytest.fail).resolve(None) == template.head()


def test_a_check_starts_git_as_rarely_as_it_can(
    drydock: Drydock, project: Path, template: Template, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = project / ".cruft.json"
    record.write_text(record.read_text().replace(str(template.folder), url))
    assert drydock("check", project).exit_code == 0
    started = []
    run = subprocess.Popen.__init__

    def spy(self: subprocess.Popen[bytes], words: list[str], **options: Any) -> None:  # noqa: ANN401
        started.append(words)
        run(self, words, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", spy)
    assert drydock("check", project).exit_code == 0
    # for-each-ref, ls-remote, show, ls-tree and cat-file.
    assert len(started) == 5, started


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


def test_a_commit_that_is_there_is_looked_up_once(
    template: Template, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(url)
    assert isinstance(source, mirror.Mirror)
    run, asked = source.git, list[tuple[str, ...]]()

    def counted(*words: str, check: bool = True) -> str:
        asked.append(words)
        return run(*words, check=check)

    monkeypatch.setattr(source, "git", counted)
    assert source.resolve(template.head()) == template.head()
    assert len(asked) == 1


def spoil(mirror: Path, what: str) -> None:
    """Break a mirror."""
    match what:
        case "HEAD":
            (mirror / "HEAD").write_text("nonsense")
        case "empty":
            shutil.rmtree(mirror)
            mirror.mkdir()
        case "commits":
            for folder in ("objects/pack", "objects"):
                shutil.rmtree(mirror / folder, ignore_errors=True)
            (mirror / "objects").mkdir()
        case "file":
            for path in mirror.glob("objects/pack/*"):
                path.chmod(0o600)
                path.rename(mirror / path.name)
            packs = [path.read_bytes() for path in mirror.glob("*.pack")]
            for pack in packs:
                command = ["git", f"--git-dir={mirror}", "unpack-objects", "-q"]
                subprocess.run(command, input=pack, check=True)
            command = ["git", f"--git-dir={mirror}", "rev-parse", f"HEAD:{TOP}/README.md"]
            blob = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            (mirror / "objects" / blob[:2] / blob[2:].strip()).unlink()


@pytest.mark.parametrize("what", ["HEAD", "empty", "commits", "file"])
def test_a_broken_mirror_is_made_again(
    what: str, template: Template, url: str, cache: Path
) -> None:
    open_source(url)
    (mirror,) = cache.glob("*.git")
    spoil(mirror, what)
    said: list[str] = []
    with pytest.raises(DrydockError):
        open_source(url, offline=True).tree(template.head())
    tree = open_source(url, progress=said.append).tree(template.head())
    assert f"{TOP}/README.md" in tree
    assert ["is broken" in words for words in said] == [True]
    assert not list(cache.glob(".partial*"))


def test_what_others_left_unfinished_goes(url: str, cache: Path) -> None:
    cache.mkdir()
    (cache / ".partial-x1y2z3").mkdir()
    (cache / ".partial-dead.git").mkdir()
    (cache / "dead.git.lock").touch()
    (cache / ".partial-0123.zip").touch()
    (cache / ".partial-busy.git").mkdir()
    with locks.locked(cache / "busy.git.lock", print):
        open_source(url)
    assert [path.name for path in cache.glob(".partial*")] == [".partial-busy.git"]


def test_offline_asks_for_no_commit_by_name(template: Template, url: str, calls: list[str]) -> None:
    open_source(url)
    calls.clear()
    with pytest.raises(DrydockError, match="does not exist"):
        open_source(url, offline=True).resolve("0123456789" * 4)
    assert calls == []


def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_module, "ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"git://127.0.0.1:{silent.getsockname()[1]}/template.git"
        with pytest.raises(DrydockError, match=r"did not answer within 0.2 seconds.*--offline"):
            open_source(place)


def test_what_a_server_says_is_told_without_git_s_advice() -> None:
    said = "git@host: Permission denied (publickey).\nfatal: no\n\nPlease make sure\nof it."
    told = str(mirror.unreachable("ssh://git@host/x", said))
    assert "cannot be fetched: git@host: Permission denied (publickey); fatal: no. If it" in told


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
        with locks.locked(tmp_path / "lock", tell):
            pass

    with locks.locked(tmp_path / "lock", tell):
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
    place = f"https://me:{KEY}@host.example/template.git?token={KEY}"
    run = git_module.ask

    def local(folder: Path, url: str, *words: str) -> Any:  # noqa: ANN401
        there = [str(template.folder) if word == place else word for word in words]
        return run(folder, url, *there)

    monkeypatch.setattr(mirror, "ask", local)
    found = open_source(place)
    assert found.url == "https://host.example/template.git"
    assert found.resolve(None) == template.head()
    kept = [path.read_bytes() for path in cache.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in data for data in kept)


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


@pytest.fixture
def inner(template: Template, make_template: MakeTemplate, url: str) -> Template:
    """Return a repository that is a submodule of the template, by a relative address."""
    inner = make_template({"own.txt": "{{ cookiecutter.slug }}\n"}, {}, "inner")
    words = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"]
    git(template.folder, *words, str(inner.folder), f"{TOP}/sub")
    git(template.folder, "config", "-f", ".gitmodules", f"submodule.{TOP}/sub.url", "../inner")
    template.commit({})
    return inner


def made_of(template: Template, url: str, folder: Path) -> Path:
    """Generate a project, and let its record have a URL."""
    project = template.generate(folder)
    text = (project / ".cruft.json").read_text()
    (project / ".cruft.json").write_text(text.replace(f'"{template.folder}"', f'"{url}"'))
    return project


def test_a_submodule_elsewhere_is_fetched_and_compared(
    drydock: Drydock, template: Template, inner: Template, url: str, tmp_path: Path
) -> None:
    project = made_of(template, url, tmp_path / "out")
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    assert "6 same" in result.output
    (project / "sub/own.txt").write_text("mine\n")
    inner.folder.rename(tmp_path / "away")
    assert "edited here  sub/own.txt" in drydock("check", project, "--offline").output
    # cookiecutter leaves submodules empty.
    shutil.rmtree(project / "sub")
    result = drydock("check", project, "--offline")
    assert result.exit_code == 0, result.output
    assert "sub/ is not compared: it is a submodule of the template" in result.output


def test_a_submodule_that_cannot_be_fetched_is_named(
    drydock: Drydock, template: Template, inner: Template, url: str, tmp_path: Path
) -> None:
    project = made_of(template, url, tmp_path / "out")
    inner.folder.rename(tmp_path / "away")
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    assert f"{TOP}/sub in the template is not compared: it is a submodule" in result.output
    assert "cannot be fetched" in result.output


@pytest.mark.parametrize(
    ("address", "base", "expected"),
    [
        ("../b.git", "https://host.example/o/a.git", "https://host.example/o/b.git"),
        ("../../p/b", "https://host.example/o/a.git/", "https://host.example/p/b"),
        ("./b", "ssh://host.example/a", "ssh://host.example/a/b"),
        ("../b", "git@host.example:o/a", "git@host.example:o/b"),
        ("https://host.example/b", "https://host.example/a", "https://host.example/b"),
        ("file:///etc", "https://host.example/a", ""),
        ("file:///b", "file:///a", "file:///b"),
        ("/etc", "https://host.example/a", ""),
        ("../../../../../etc", "https://host.example/a", ""),
        ("ext::sh -c true", "https://host.example/a", ""),
        ("--upload-pack=x", "https://host.example/a", ""),
        ("", "https://host.example/a", ""),
    ],
)
def test_the_address_of_a_submodule(address: str, base: str, expected: str) -> None:
    assert mirror.address_of(address, base) == expected
