"""`drydock update` merges what the template changed, and loses nothing."""

import errno
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drydock import update as updates
from drydock.record import NAME
from drydock.worktree import WorkTree
from tests.support.commands import succeed, tool
from tests.support.templates import COMPOSE, TOP, Drydock, MakeTemplate, Template, git

STEPS = "steps:\n- name: C\n  uses: c\n- name: T\n  run: t\n"
LINES = "".join(f"line {number}\n" for number in range(12))


def commit(project: Path) -> None:
    """Commit all of a project."""
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--allow-empty", "--message", "Change")


def contents(project: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the mode of every file of a project except git's own."""
    return {
        path.relative_to(project).as_posix(): (path.read_bytes(), path.stat().st_mode)
        for path in sorted(project.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


@pytest.fixture
def lines(make_template: MakeTemplate) -> Template:
    """Return a template with a file of several lines, and some other files."""
    return make_template({
        f"{TOP}/lines.txt": LINES,
        f"{TOP}/docker-compose.yml": COMPOSE,
        f"{TOP}/run.sh": "#!/bin/sh\necho 1\n",
        f"{TOP}/folder/deep.txt": "deep\n",
    })  # fmt: skip


@pytest.fixture
def site(lines: Template, tmp_path: Path) -> Path:
    """Return a committed project from that template."""
    project = lines.generate(tmp_path / "projects")
    commit(project)
    return project


def test_both_sides_changes_are_there_afterwards(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    (site / "lines.txt").write_text(LINES.replace("line 1\n", "mine\n"))
    (site / "own.txt").write_text("my own\n")
    commit(site)
    sha = lines.commit({
        f"{TOP}/lines.txt": LINES.replace("line 9\n", "theirs\n"),
        f"{TOP}/new/file.txt": "new\n",
        f"{TOP}/folder/deep.txt": None,
        f"{TOP}/run.sh": "#!/bin/sh\necho 2\n",
    })  # fmt: skip
    result = drydock("update", site)
    assert result.exit_code == 0, result.output
    assert (site / "lines.txt").read_text() == LINES.replace("line 1\n", "mine\n").replace(
        "line 9\n", "theirs\n"
    )
    assert (site / "new/file.txt").read_text() == "new\n"
    assert not (site / "folder").exists()
    assert (site / "run.sh").read_text().endswith("echo 2\n")
    assert (site / "run.sh").stat().st_mode & 0o100
    assert (site / "own.txt").read_text() == "my own\n"
    assert json.loads((site / NAME).read_text())["commit"] == sha
    for line in ("merged   lines.txt", "added    new/file.txt", "removed  folder/deep.txt"):
        assert line in result.output
    assert "4 files changed, 0 in conflict.\nLook at it with `git diff`" in result.output
    # A second update has nothing to do, and only the project's own edit is left.
    commit(site)
    before = contents(site)
    assert "0 files changed" in drydock("update", site).output
    assert contents(site) == before
    report = json.loads(drydock("check", site, "--json").stdout)
    assert [one["path"] for one in report["drifts"]] == ["lines.txt"]


def conflicting(lines: Template, site: Path) -> None:
    """Change the same line on both sides, and other files in the template."""
    (site / "lines.txt").write_text(LINES.replace("line 5\n", "mine\n"))
    commit(site)
    lines.commit({
        f"{TOP}/lines.txt": LINES.replace("line 5\n", "theirs\n"),
        f"{TOP}/new.txt": "new\n",
        f"{TOP}/folder/deep.txt": None,
    })  # fmt: skip


def test_a_conflict_has_marks_and_three_versions(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    conflicting(lines, site)
    result = drydock("update", site)
    assert result.exit_code == 1
    assert "conflict  lines.txt" in result.output
    text = (site / "lines.txt").read_text()
    assert "<<<<<<< yours\nmine\n||||||| recorded\nline 5\n" in text
    assert "line 5\n=======\ntheirs\n>>>>>>> template\n" in text
    stages = git(site, "ls-files", "--unmerged").splitlines()
    assert [line.split()[2] for line in stages] == ["1", "2", "3"]
    assert git(site, "show", ":2:lines.txt").split("\n")[5] == "mine"
    again = drydock("update", site)
    assert again.exit_code == 2
    assert "an update is unfinished" in again.stderr
    assert "still in conflict" in drydock("update", site, "--continue").stderr
    (site / "lines.txt").write_text(LINES.replace("line 5\n", "both\n"))
    git(site, "add", "lines.txt")
    assert drydock("update", site, "--continue").exit_code == 0
    assert "there is no update to continue" in drydock("update", site, "--continue").stderr
    commit(site)
    report = json.loads(drydock("check", site, "--json").stdout)
    assert [one["path"] for one in report["drifts"]] == ["lines.txt"]


def test_abort_brings_back_every_byte(drydock: Drydock, lines: Template, site: Path) -> None:
    conflicting(lines, site)
    (site / "untracked.txt").write_text("not committed\n")
    (site / "run.sh").write_text("staged\n")
    git(site, "add", "run.sh")
    before, index = contents(site), git(site, "ls-files", "--stage")
    assert drydock("update", site).exit_code == 1
    assert contents(site) != before
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before
    assert git(site, "ls-files", "--stage") == index
    assert drydock("update", site, "--abort").exit_code == 2


def test_abort_knows_what_earlier_versions_kept(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    conflicting(lines, site)
    before = contents(site)
    assert drydock("update", site).exit_code == 1
    (manifest,) = site.glob(".git/drydock-update/*/manifest.json")
    kept = json.loads(manifest.read_text())
    del kept["partial"]
    manifest.write_text(json.dumps(kept))
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before


def test_each_project_of_a_repository_has_an_update_of_its_own(
    drydock: Drydock, lines: Template, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    one, two = (lines.generate(repository, slug=name) for name in ("one", "two"))
    for project, line in ((one, "line 5\n"), (two, "line 11\n")):
        (project / "lines.txt").write_text(LINES.replace(line, "mine\n"))
    commit(repository)
    lines.commit({f"{TOP}/lines.txt": LINES.replace("line 5\n", "theirs\n")})
    before = contents(one)
    assert drydock("update", one).exit_code == 1
    for word in ("--abort", "--continue"):
        result = drydock("update", two, word)
        assert result.exit_code == 2
        assert f"{two}: there is no update to continue or to abort" in result.stderr
    assert drydock("update", two).exit_code == 0
    assert "mine" in (two / "lines.txt").read_text()
    assert drydock("update", one, "--abort").exit_code == 0
    assert contents(one) == before


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "a\nb"])
def test_a_project_in_a_folder_whose_name_looks_like_two_lines(
    drydock: Drydock, lines: Template, tmp_path: Path, name: str
) -> None:
    site = lines.generate(tmp_path / "repository").rename(tmp_path / "repository" / name)
    commit(tmp_path / "repository")
    (site / "lines.txt").write_text(LINES.replace("line 5\n", "mine\n"))
    commit(tmp_path / "repository")
    lines.commit({f"{TOP}/lines.txt": LINES.replace("line 5\n", "theirs\n")})
    before = contents(site)
    assert drydock("update", site).exit_code == 1
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before


def test_a_restore_does_not_end_an_update(drydock: Drydock, lines: Template, site: Path) -> None:
    (site / "run.sh").write_text("mine\n")
    conflicting(lines, site)
    before = contents(site)
    assert drydock("update", site).exit_code == 1
    for text in ("both sides\n", None):
        result = drydock("restore", site, "run.sh")
        assert result.exit_code == 2
        assert "an update is unfinished" in result.stderr
        if text:
            (site / "lines.txt").write_text(text)
            git(site, "add", "--all")
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before
    assert drydock("restore", site, "run.sh").exit_code == 0


# Ends drydock, as the system may at any time, when it has written one file and half of another.
KILLED = """
import os, signal
from pathlib import Path
from drydock.cli import main
chmod, calls = Path.chmod, []
def kill(path, mode):
    calls.append(path)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    chmod(path, mode)
Path.chmod = kill
main()
"""


@pytest.fixture
def killed(lines: Template, site: Path) -> dict[str, tuple[bytes, int]]:
    """Return the files of a project before an update that was killed half-way."""
    conflicting(lines, site)
    before = contents(site)
    command = [sys.executable, "-c", KILLED, "update", "--project", str(site)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert contents(site) != before
    return before


def test_an_interrupted_update_can_only_be_undone(
    drydock: Drydock, site: Path, killed: dict[str, tuple[bytes, int]]
) -> None:
    half = contents(site)
    for words in ("update", "update --dry-run", "update --continue", "restore run.sh"):
        command, *options = words.split()
        result = drydock(command, site, *options)
        assert result.exit_code == 2
        assert "was interrupted while it wrote. `drydock update --abort` undoes it" in result.stderr
        assert contents(site) == half
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == killed
    assert git(site, "status", "--porcelain") == ""
    assert drydock("update", site).exit_code == 1


def test_after_a_commit_an_interrupted_update_is_in_nobodys_way(
    drydock: Drydock, site: Path, killed: dict[str, tuple[bytes, int]]
) -> None:
    (site / "lines.txt").write_text("resolved\n")
    commit(site)
    result = drydock("update", site, "--abort")
    assert result.exit_code == 2
    assert "has been committed since" in result.stderr
    assert drydock("update", site, "--continue").exit_code == 2
    assert drydock("update", site).exit_code == 1


def test_what_looks_like_a_conflict_is_none(drydock: Drydock, lines: Template, site: Path) -> None:
    guide = "How a conflict looks:\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n"
    (site / "own.md").write_text(guide)
    conflicting(lines, site)
    lines.commit({f"{TOP}/guide.md": guide})
    assert drydock("update", site).exit_code == 1
    git(site, "add", "guide.md")
    # Marked as resolved by mistake.
    git(site, "add", "lines.txt")
    assert "lines.txt: still in conflict" in drydock("update", site, "--continue").stderr
    (site / "lines.txt").write_text(guide)
    git(site, "add", "lines.txt")
    assert drydock("update", site, "--continue").exit_code == 0


def test_a_committed_conflict_is_resolved(drydock: Drydock, lines: Template, site: Path) -> None:
    conflicting(lines, site)
    assert drydock("update", site).exit_code == 1
    commit(site)
    assert "<<<<<<< yours" in (site / "lines.txt").read_text()
    assert drydock("update", site).exit_code == 0
    assert drydock("update", site, "--continue").exit_code == 0


def test_a_dry_run_keeps_an_update_that_can_be_undone(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    conflicting(lines, site)
    before = contents(site)
    assert drydock("update", site).exit_code == 1
    (site / "lines.txt").write_text("resolved\n")
    git(site, "add", "lines.txt")
    drydock("update", site, "--dry-run")
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before


def test_an_undo_loses_no_later_work(drydock: Drydock, lines: Template, site: Path) -> None:
    conflicting(lines, site)
    before = contents(site)
    assert drydock("update", site).exit_code == 1
    for path in ("new.txt", "folder/deep.txt"):
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text("later work\n")
    after = contents(site)
    result = drydock("update", site, "--abort")
    assert result.exit_code == 2
    assert "folder/deep.txt, new.txt: has been edited since the update" in result.stderr
    assert contents(site) == after
    shutil.rmtree(site / "folder")
    (site / "new.txt").unlink()
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before


def test_an_undo_loses_no_work_in_a_file_that_is_no_longer_in_conflict(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    conflicting(lines, site)
    before = contents(site)
    assert drydock("update", site).exit_code == 1
    git(site, "reset", "--quiet", "--hard")
    (site / "lines.txt").write_text("later work\n")
    after = contents(site)
    result = drydock("update", site, "--abort")
    assert result.exit_code == 2
    assert "lines.txt: has been edited since the update" in result.stderr
    assert contents(site) == after
    git(site, "checkout", "lines.txt")
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before


@pytest.mark.parametrize("is_added", [True, False])
def test_an_undo_is_possible_while_a_conflict_is_being_resolved(
    drydock: Drydock, lines: Template, site: Path, is_added: bool
) -> None:
    conflicting(lines, site)
    before, index = contents(site), git(site, "ls-files", "--stage")
    assert drydock("update", site).exit_code == 1
    (site / "lines.txt").write_text("half resolved\n")
    if is_added:
        git(site, "add", "lines.txt")
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before
    assert git(site, "ls-files", "--stage") == index


@pytest.mark.parametrize("is_waiting", [True, False])
def test_only_one_drydock_writes_to_a_project(
    drydock: Drydock, lines: Template, site: Path, is_waiting: bool
) -> None:
    (site / "run.sh").write_text("mine\n")
    conflicting(lines, site)
    if is_waiting:
        assert drydock("update", site).exit_code == 1
    before, index = contents(site), git(site, "ls-files", "--stage")
    with WorkTree(site).locked():
        for words in ("update", "update --abort", "update --continue", "restore run.sh"):
            command, *options = words.split()
            result = drydock(command, site, *options)
            assert result.exit_code == 2
            assert f"{site}: another drydock is updating or restoring it" in result.stderr
            assert contents(site) == before
            assert git(site, "ls-files", "--stage") == index
    assert drydock("update", site, *(["--abort"] if is_waiting else [])).exit_code != 2


def test_an_update_that_another_one_has_begun_is_not_mixed_with_it(
    drydock: Drydock, lines: Template, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicting(lines, site)
    before, make_plan = contents(site), updates.make_plan
    begun: list[int] = []

    def slow(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401
        plan = make_plan(*arguments, **more)
        if not begun:
            begun.append(0)
            begun.append(drydock("update", site).exit_code)
        return plan

    monkeypatch.setattr(updates, "make_plan", slow)
    result = drydock("update", site)
    assert begun == [0, 1]
    assert result.exit_code == 2
    assert "an update is unfinished" in result.stderr
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before


def test_two_updates_at_once_can_be_undone(lines: Template, site: Path) -> None:
    conflicting(lines, site)
    before = contents(site)
    command = [sys.executable, "-m", "drydock", "update", "--project", str(site)]
    both = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert sorted(process.wait() for process in both) == [1, 2]
    assert subprocess.run([*command, "--abort"], check=False).returncode == 0
    assert contents(site) == before


def failing(monkeypatch: pytest.MonkeyPatch, where: object, name: str, allowed: int) -> None:
    """Let a function work some times, and then fail as on a full disk."""
    works, calls = getattr(where, name), itertools.count(1)

    def fail(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401
        if next(calls) > allowed:
            raise OSError(errno.ENOSPC, "No space left on device")
        return works(*arguments, **more)

    monkeypatch.setattr(where, name, fail)


def test_a_full_disk_leaves_no_copies(
    drydock: Drydock, lines: Template, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicting(lines, site)
    before = contents(site)
    failing(monkeypatch, shutil, "copy2", 1)
    result = drydock("update", site)
    assert result.exit_code == 2
    assert "No space left on device" in result.stderr
    assert contents(site) == before
    assert not [path for path in (site / ".git/drydock-update").rglob("*") if path.suffix != ".lock"]  # fmt: skip
    assert "there is no update" in drydock("update", site, "--abort").stderr


def test_an_undo_that_fails_can_be_done_later(
    drydock: Drydock, lines: Template, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicting(lines, site)
    before = contents(site)
    with monkeypatch.context() as patch:
        # The record is the last file. The copies of three files are made before.
        failing(patch, Path, "write_bytes", 2)
        failing(patch, shutil, "copy2", 3)
        result = drydock("update", site)
    assert result.exit_code == 2
    assert "No space left on device), and what was changed could not be undone" in result.stderr
    assert "`drydock update --abort` undoes it" in result.stderr
    assert not [path for path in contents(site) if ".drydock" in path]
    assert contents(site) != before
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before


def test_a_file_that_cannot_be_replaced_is_in_no_undos_way(
    drydock: Drydock, lines: Template, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conflicting(lines, site)
    before, replace = contents(site), Path.replace

    def unless_fixed(path: Path, target: Path) -> Path:
        if target.name == "lines.txt":
            raise PermissionError(errno.EPERM, "Operation not permitted", str(target))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", unless_fixed)
    result = drydock("update", site)
    assert result.exit_code == 2
    assert "lines.txt: Operation not permitted" in result.stderr
    assert contents(site) == before
    assert "there is no update" in drydock("update", site, "--abort").stderr


def test_a_file_of_the_team_is_not_taken_for_a_part(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    (site / ".lines.txt.drydock").write_text("the team's own\n")
    conflicting(lines, site)
    before = contents(site)
    assert drydock("update", site).exit_code == 1
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before


@pytest.mark.parametrize("word", ["--abort", "--continue"])
def test_the_end_of_an_update_is_told_to_programs(
    drydock: Drydock, lines: Template, site: Path, word: str
) -> None:
    conflicting(lines, site)
    assert drydock("update", site).exit_code == 1
    if word == "--continue":
        (site / "lines.txt").write_text("resolved\n")
        git(site, "add", "--all")
    told = json.loads(drydock("update", site, word, "--json").stdout)
    assert told["status"] == 0
    assert told["message"].startswith(("Every file is as", "The update is complete"))
    told = json.loads(drydock("update", site, word, "--json").stdout)
    assert told["status"] == 2
    assert "there is no update" in told["error"]


def test_a_name_that_is_not_utf_8_is_taken(drydock: Drydock, lines: Template, site: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    lines.commit({f"{TOP}/{name}": "one\n"})
    assert drydock("update", site).exit_code == 0
    commit(site)
    lines.commit({f"{TOP}/{name}": "two\n", f"{TOP}/new.txt": "new\n"})
    result = drydock("update", site, name)
    assert result.exit_code == 0, result.output
    assert (site / name).read_text() == "two\n"
    commit(site)
    report = json.loads(drydock("check", site, "--json").stdout)
    assert [drift["path"] for drift in report["drifts"]] == ["new.txt"]
    assert drydock("restore", site, name).exit_code == 0


def test_an_undo_is_too_late_after_a_commit(drydock: Drydock, lines: Template, site: Path) -> None:
    conflicting(lines, site)
    assert drydock("update", site).exit_code == 1
    (site / "lines.txt").write_text("resolved\n")
    commit(site)
    (site / "lines.txt").write_text("resolved\nlater work\n")
    after = contents(site)
    result = drydock("update", site, "--abort")
    assert result.exit_code == 2
    assert "what the update wrote has been committed since" in result.stderr
    assert contents(site) == after


def test_a_failure_half_way_leaves_nothing(drydock: Drydock, lines: Template, site: Path) -> None:
    (site / "a-folder.txt").mkdir()
    (site / "a-folder.txt/inner").write_text("mine\n")
    commit(site)
    lines.commit({f"{TOP}/a-folder.txt": "file\n", f"{TOP}/lines.txt": "changed\n"})
    before = contents(site)
    result = drydock("update", site)
    assert result.exit_code == 2
    assert "is a folder, but the template has a file here" in result.stderr
    assert contents(site) == before


def test_what_no_commit_has_is_not_touched(drydock: Drydock, lines: Template, site: Path) -> None:
    lines.commit({f"{TOP}/lines.txt": "new\n", f"{TOP}/new.txt": "theirs\n"})
    (site / "run.sh").write_text("in no commit, and not in the way\n")
    (site / "lines.txt").write_text("in no commit\n")
    (site / "new.txt").write_text("untracked\n")
    before = contents(site)
    result = drydock("update", site)
    assert result.exit_code == 2
    assert "lines.txt, new.txt: would be changed, but has uncommitted changes" in result.stderr
    assert contents(site) == before
    git(site, "checkout", "lines.txt")
    (site / "new.txt").unlink()
    assert drydock("update", site).exit_code == 0


def test_an_ignored_file_in_the_way_is_not_touched(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    (site / ".gitignore").write_text("secret/\n")
    commit(site)
    (site / "secret").mkdir()
    (site / "secret/key").write_text("mine\n")
    lines.commit({f"{TOP}/secret/key": "theirs\n"})
    assert "secret/key: would be changed" in drydock("update", site).stderr
    assert (site / "secret/key").read_text() == "mine\n"


def test_what_was_deleted_here_stays_deleted(drydock: Drydock, lines: Template, site: Path) -> None:
    (site / "lines.txt").unlink()
    commit(site)
    lines.commit({f"{TOP}/lines.txt": LINES + "more\n"})
    result = drydock("update", site)
    assert result.exit_code == 0
    assert "deleted here  lines.txt" in result.output
    assert not (site / "lines.txt").exists()


def test_a_file_that_was_moved_here_gets_the_change(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    (site / "docs").mkdir()
    (site / "lines.txt").rename(site / "docs/moved.txt")
    commit(site)
    lines.commit({f"{TOP}/lines.txt": LINES.replace("line 5\n", "theirs\n")})
    assert drydock("update", site).exit_code == 0
    assert (site / "docs/moved.txt").read_text() == LINES.replace("line 5\n", "theirs\n")
    assert not (site / "lines.txt").exists()


def test_a_file_that_the_template_moved_keeps_the_edit(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    (site / "lines.txt").write_text(LINES.replace("line 5\n", "mine\n"))
    commit(site)
    lines.commit({f"{TOP}/lines.txt": None, f"{TOP}/docs/moved.txt": LINES})
    assert drydock("update", site).exit_code == 0
    assert (site / "docs/moved.txt").read_text() == LINES.replace("line 5\n", "mine\n")


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [(LINES, "merges cleanly"), (LINES.replace("line 5", "theirs"), "conflict")],
)
def test_a_check_knows_that_the_template_moved_a_file(
    drydock: Drydock, lines: Template, site: Path, theirs: str, expected: str
) -> None:
    (site / "lines.txt").write_text(LINES.replace("line 5\n", "mine\n"))
    commit(site)
    lines.commit({f"{TOP}/lines.txt": None, f"{TOP}/docs/moved.txt": theirs})
    report = json.loads(drydock("check", site, "--json").stdout)
    states = {drift["path"]: drift["state"] for drift in report["drifts"]}
    assert states == {"lines.txt": expected, "docs/moved.txt": "new upstream"}
    assert drydock("update", site).exit_code == (expected == "conflict")


def test_a_file_removed_upstream_and_edited_here_conflicts(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    (site / "lines.txt").write_text("mine\n")
    commit(site)
    lines.commit({f"{TOP}/lines.txt": None})
    assert drydock("update", site).exit_code == 1
    assert (site / "lines.txt").read_text() == "mine\n"
    assert [line.split()[2] for line in git(site, "ls-files", "--unmerged").splitlines()] == ["1", "2"]  # fmt: skip


def test_a_file_that_both_added_merges_against_nothing(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    (site / "new.txt").write_text("mine\n")
    commit(site)
    lines.commit({f"{TOP}/new.txt": "theirs\n"})
    assert drydock("update", site).exit_code == 1
    assert "<<<<<<< yours\nmine\n" in (site / "new.txt").read_text()


def test_binary_files_and_modes(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    template = make_template({f"{TOP}/icon.png": b"\x89PNG\0\1", f"{TOP}/tool": "#!/bin/sh\n"})
    project = template.generate(tmp_path / "projects")
    (project / "icon.png").write_bytes(b"\x89PNG\0\2")
    (project / "tool").chmod(0o755)
    commit(project)
    template.commit({f"{TOP}/icon.png": b"\x89PNG\0\3", f"{TOP}/tool": "#!/bin/sh\necho\n"})
    assert drydock("update", project).exit_code == 1
    assert (project / "icon.png").read_bytes() == b"\x89PNG\0\2"
    assert (project / "tool").read_text() == "#!/bin/sh\necho\n"
    assert (project / "tool").stat().st_mode & 0o111 == 0o111


def test_crlf_stays_crlf(drydock: Drydock, lines: Template, site: Path) -> None:
    (site / "lines.txt").write_bytes(LINES.replace("line 1\n", "mine\n").replace("\n", "\r\n").encode())  # fmt: skip
    commit(site)
    lines.commit({f"{TOP}/lines.txt": LINES.replace("line 9\n", "theirs\n")})
    assert drydock("update", site).exit_code == 0
    expected = LINES.replace("line 1\n", "mine\n").replace("line 9\n", "theirs\n")
    assert (site / "lines.txt").read_bytes() == expected.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("path", "base", "ours", "theirs", "expected"),
    [
        ("a.yml", "a: 1\nb: 1\n", "a: 2 # mine\nb: 1\n", "a: 1\nb: 2\n", "a: 2 # mine\nb: 2\n"),
        ("a.yml", "s:\n  a: 1\n", "s:\n  a: 1\n  b: 2\n", "s:\n  a: 1\n  c: 3\n", "s:\n  a: 1\n  b: 2\n  c: 3\n"),
        ("a.toml", "a = 1\nb = 1\n", "a = 2\nb = 1\n", "a = 1\nb = 2\n", "a = 2\nb = 2\n"),
        (".env.example", "A=1\n", "A=1\nB=2\n", "A=1\nC=3", "A=1\nB=2\nC=3"),
        ("requirements.txt", "a==1\nb==1\n", "a==2\nb==1\n", "a==1\nb==2\n", "a==2\nb==2\n"),
        ("a.json", '{\n "a": 1,\n "b": 1\n}\n', '{\n "a": 2,\n "b": 1\n}\n', '{\n "a": 1,\n "b": 2\n}\n', '{\n "a": 2,\n "b": 2\n}\n'),
        (".env.example", "A=1\n\nZ=1\n", "A=1\nB=2\n\nZ=1\n", "A=1\n\nC=3\nZ=1\n", "A=1\nB=2\n\nC=3\nZ=1\n"),
        ("a.yml", STEPS, STEPS.replace("uses: c", "uses: d") + "- name: B\n", STEPS.replace("- name: T", "- name: I\n- name: T"), STEPS.replace("uses: c", "uses: d").replace("- name: T", "- name: I\n- name: T") + "- name: B\n"),
        # These stay conflicts: the same key, the order of a list, and a format in which all order counts.
        ("a.yml", STEPS, STEPS.replace("- name: T", "- name: B\n  run: b\n- name: T"), STEPS.replace("- name: T", "- name: I\n  run: i\n- name: T"), None),
        ("a.yml", STEPS, STEPS + "- name: B\n", STEPS + "- name: I\n", None),
        ("a.yml", "s:\n- name: a\n  run: x\n- name: b\n", "s:\n- name: a\n  run: x\n- name: c\n  run: x\n- name: b\n", "s:\n- name: a\n  run: x\n- name: d\n  run: y\n- name: b\n", None),
        (".env.example", "A=1\n", "A=1\nURL=http://${HOST}/\n", "A=1\nHOST=h\n", None),
        ("requirements.txt", "-r a\nx==1\n", "-r a\n-r b\nx==1\n", "-r a\n-c c\nx==1\n", None),
        ("a.ini", "[a]\nx = 1\n", "[a]\nx = 1\n[b]\nx = 1\n", "[a]\nx = 1\n[c]\nx = 2\n", None),
        ("a.toml", "a = [\n 1,\n]\n", "a = [\n 1,\n 2,\n]\n", "a = [\n 1,\n 3,\n]\n", None),
        ("a.yml", "a: 1\n", "a: 2\n", "a: 3\n", None),
        ("a.yml", "l:\n- a\n", "l:\n- a\n- b\n", "l:\n- a\n- c\n", None),
        ("nginx.conf", "a 1;\nb 1;\n", "a 2;\nb 1;\n", "a 1;\nb 2;\n", None),
        ("a.txt", "a\nb\n", "c\nb\n", "a\nd\n", None),
        ("a.cfg", "backend a\n x 1\n", "backend a\n x 1\nbackend b\n", "backend a\n x 1\n y 2\n", None),
        (".editorconfig", "[*]\na = 1\n", "[*]\na = 1\n[x]\na = 2\n", "[*]\na = 1\n[*.y]\na = 3\n", None),
    ],
)  # fmt: skip
def test_lines_that_conflict_though_no_key_does_are_merged(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path,
    path: str, base: str, ours: str, theirs: str, expected: str | None,
) -> None:  # fmt: skip
    template = make_template({f"{TOP}/{path}": base})
    project = template.generate(tmp_path / "projects")
    (project / path).write_text(ours)
    commit(project)
    template.commit({f"{TOP}/{path}": theirs})
    result = drydock("update", project)
    assert result.exit_code == (expected is None), result.output
    if expected is not None:
        assert (project / path).read_text() == expected


def test_new_and_changed_answers_are_recorded(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    text = (site / NAME).read_text()
    data = json.loads(text)
    data["context"]["cookiecutter"]["_template"] = "kept"
    data["of another program"] = 1
    (site / NAME).write_text(json.dumps(data))
    commit(site)
    lines.commit({"cookiecutter.json": json.dumps({"slug": "site", "database": ["mysql", "postgresql"], "queue": ["none", "celery"]})})  # fmt: skip
    result = drydock("update", site, "--set", "database=postgresql")
    assert result.exit_code == 0
    assert "queue is a new question" in result.output
    record = json.loads((site / NAME).read_text())
    assert record["context"]["cookiecutter"] == {
        "slug": "site", "database": "postgresql", "queue": "none", "_template": "kept",
    }  # fmt: skip
    assert record["of another program"] == 1
    assert "image: postgresql:9" in (site / "docker-compose.yml").read_text()


def test_some_files_now_and_the_rest_later(drydock: Drydock, lines: Template, site: Path) -> None:
    old = lines.head()
    lines.commit({f"{TOP}/lines.txt": LINES + "more\n", f"{TOP}/folder/deep.txt": "deeper\n"})
    assert drydock("update", site, "folder").exit_code == 0
    assert (site / "folder/deep.txt").read_text() == "deeper\n"
    assert (site / "lines.txt").read_text() == LINES
    assert json.loads((site / NAME).read_text())["commit"] == old
    commit(site)
    report = json.loads(drydock("check", site, "--json").stdout)
    assert {one["path"]: one["state"] for one in report["drifts"]} == {"lines.txt": "changed upstream"}  # fmt: skip
    (site / "folder/deep.txt").write_text("deeper, and mine\n")
    commit(site)
    assert drydock("update", site).exit_code == 0
    assert (site / "folder/deep.txt").read_text() == "deeper, and mine\n"
    assert "drydock" not in json.loads((site / NAME).read_text())
    assert drydock("update", site, "nothing").exit_code == 2
    assert drydock("update", site, "lines.txt", "--set", "slug=a").exit_code == 2


def test_a_dry_run_writes_nothing(drydock: Drydock, lines: Template, site: Path) -> None:
    conflicting(lines, site)
    before = contents(site)
    result = drydock("update", site, "--dry-run")
    assert result.exit_code == 1
    assert "2 files would change, 1 in conflict" in result.output
    report = json.loads(drydock("update", site, "--dry-run", "--json").stdout)
    assert report["conflicts"] == ["lines.txt"]
    assert {"path": "new.txt", "fate": "added"} in report["files"]
    assert contents(site) == before
    assert git(site, "status", "--porcelain") == ""


def test_a_project_below_the_top_of_its_repository(
    drydock: Drydock, lines: Template, tmp_path: Path
) -> None:
    repository = tmp_path / "repository"
    site = lines.generate(repository / "services")
    (site / "lines.txt").write_text(LINES.replace("line 5\n", "mine\n"))
    commit(repository)
    lines.commit({f"{TOP}/lines.txt": LINES.replace("line 5\n", "theirs\n")})
    before, index = contents(repository), git(repository, "ls-files", "--stage")
    assert drydock("update", site).exit_code == 1
    assert git(repository, "ls-files", "--unmerged").endswith("services/site/lines.txt")
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(repository) == before
    assert git(repository, "ls-files", "--stage") == index


def test_without_git_nothing_is_merged(drydock: Drydock, lines: Template, tmp_path: Path) -> None:
    site = lines.generate(tmp_path / "projects")
    lines.commit({f"{TOP}/lines.txt": "new\n"})
    before = contents(site)
    result = drydock("update", site)
    assert result.exit_code == 2
    assert "is not in a git repository" in result.stderr
    assert contents(site) == before


def texts(name: str) -> st.SearchStrategy[str]:
    """Texts of only a few different lines, so that edits overlap; none is another file's: nothing is renamed."""
    return st.lists(st.sampled_from([f"{name} {n}\n" for n in range(4)]), max_size=6).map("".join)


FOLDER = st.fixed_dictionaries(
    {}, optional={path: texts(path) for path in ("one.txt", "two/three.txt", "four.yml")}
)


@settings(max_examples=settings().max_examples // 7, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(base=FOLDER, ours=FOLDER, theirs=FOLDER)
def test_no_edit_is_lost_whatever_both_sides_did(
    drydock: Drydock,
    make_template: MakeTemplate,
    tmp_path: Path,
    base: dict[str, str],
    ours: dict[str, str],
    theirs: dict[str, str],
) -> None:
    for name in ("template", "projects"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    always = {f"{TOP}/always.txt": "always\n"}
    template = make_template({**always, **{f"{TOP}/{path}": text for path, text in base.items()}})
    project = template.generate(tmp_path / "projects")
    for path in {*base, *ours}:
        target = project / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(ours[path]) if path in ours else target.unlink()
    commit(project)
    template.commit({f"{TOP}/{path}": theirs.get(path) for path in {*base, *theirs}})
    before, index = contents(project), git(project, "ls-files", "--stage")
    result = drydock("update", project)
    assert result.exit_code in (0, 1), result.output
    for path, text in ours.items():
        if base.get(path) != text and theirs.get(path) in (base.get(path), text):
            # Only this side changed the file, or both in the same way.
            assert (project / path).read_text() == text
        elif base.get(path) != text:
            # Nothing that was added here is lost.
            left = (project / path).read_text().splitlines() if (project / path).exists() else []
            added = {*text.splitlines()} - {*base.get(path, "").splitlines()}
            assert added <= {*left} or theirs.get(path) is None, result.output
        elif path in theirs:
            assert (project / path).read_text() == theirs[path]
    if result.exit_code == 1:
        assert drydock("update", project, "--abort").exit_code == 0
        assert contents(project) == before
        assert git(project, "ls-files", "--stage") == index
    else:
        commit(project)
        after = contents(project)
        assert drydock("update", project).exit_code == 0
        assert contents(project) == after


def test_a_project_follows_the_branch_or_tag_that_it_is_updated_to(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    one = lines.head()
    git(lines.folder, "tag", "v1")
    two = lines.commit({f"{TOP}/lines.txt": "2 {{ cookiecutter._checkout }}\n"})
    git(lines.folder, "tag", "v2", "--annotate", "--message", "Two")
    three = lines.commit({f"{TOP}/lines.txt": "3 {{ cookiecutter._checkout }}\n"})
    followed = [
        ("v2", two, "v2", "2 v2\n"),
        ("v1", one, "v1", LINES),
        # A commit is no branch, and what is older than it is not what the template has changed since.
        (three[:8], three, "v1", "3 v1\n"),
        ("v2", two, "v2", "2 v2\n"),
        ("HEAD", three, None, "3 None\n"),
        ("main", three, "main", "3 main\n"),
    ]
    for to, sha, checkout, text in followed:
        result = drydock("update", site, "--to", to)
        assert result.exit_code == 0, result.output
        assert ("From now on, the record follows" in result.output) == (to != three[:8])
        commit(site)
        assert drydock("check", site).exit_code == 0
        for _ in range(2):
            data = json.loads((site / NAME).read_text())
            assert (data["commit"], data["checkout"]) == (sha, checkout)
            assert (site / "lines.txt").read_text() == text
            assert drydock("update", site).exit_code == 0


def test_an_older_commit_is_not_what_the_template_has_changed(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    git(lines.folder, "tag", "v1")
    newest = lines.commit({f"{TOP}/lines.txt": "2\n"})
    text = (site / NAME).read_text()
    (site / NAME).write_text(text.replace('"checkout": null', '"checkout": "v1"'))
    commit(site)
    assert drydock("update", site, "--to", newest).exit_code == 0
    commit(site)
    before = contents(site)
    note = "v1, which the record follows, is older than the recorded commit: `drydock update --to v1` goes back to it."
    for command in ("check", "diff", "update"):
        result = drydock(command, site)
        assert result.exit_code == 0, result.output
        assert (note in result.output) == (command != "diff")
    assert contents(site) == before
    assert drydock("update", site, "--to", "v1").exit_code == 0
    assert (site / "lines.txt").read_text() == LINES


def test_cruft_can_go_on_from_there(drydock: Drydock, lines: Template, site: Path) -> None:
    lines.commit({f"{TOP}/lines.txt": LINES + "more\n"})
    assert drydock("update", site).exit_code == 0
    commit(site)
    succeed(tool("cruft"), "check", cwd=site)
    lines.commit({f"{TOP}/lines.txt": LINES + "more\n" * 2})
    succeed(tool("cruft"), "update", "--skip-apply-ask", cwd=site)
    assert (site / "lines.txt").read_text() == LINES + "more\n" * 2
    assert drydock("check", site).exit_code == 0


def test_a_template_that_moved_is_recorded(
    drydock: Drydock, lines: Template, site: Path, tmp_path: Path
) -> None:
    lines.commit({f"{TOP}/lines.txt": LINES + "more\n"})
    moved = lines.folder.rename(tmp_path / "moved")
    assert drydock("update", site, "--template", str(moved)).exit_code == 0
    assert json.loads((site / NAME).read_text())["template"] == str(moved)


@pytest.mark.parametrize("is_below", [True, False])
def test_a_template_that_moved_in_its_repository_is_followed(
    drydock: Drydock, lines: Template, site: Path, is_below: bool
) -> None:
    old, new = ("", "templates/site") if is_below else ("templates/site", "")

    def move(target: str) -> None:
        (lines.folder / "templates/site").mkdir(parents=True, exist_ok=True)
        source = lines.folder / ("" if target else "templates/site")
        for name in ("cookiecutter.json", TOP):
            (source / name).rename(lines.folder / target / name)

    if old:
        move(old)
        sha = lines.commit({})
        text = json.loads((site / NAME).read_text())
        (site / NAME).write_text(json.dumps({**text, "commit": sha, "directory": old}))
    (site / "lines.txt").write_text(LINES.replace("line 1\n", "mine\n"))
    commit(site)
    move(new)
    lines.commit({f"{new or '.'}/{TOP}/lines.txt": LINES.replace("line 9\n", "theirs\n")})
    for command in ("check", "diff"):
        result = drydock(command, site)
        assert result.exit_code == 2
        assert "--directory" in result.output
    words = ["--directory", f"{new}/" if new else "."]
    result = drydock("check", site, *words)
    assert result.exit_code == 1, result.output
    assert "merges cleanly  lines.txt" in result.output
    assert "+theirs" in drydock("diff", site, *words).output
    assert "name no files" in drydock("update", site, *words, "lines.txt").stderr
    result = drydock("update", site, *words)
    assert result.exit_code == 0, result.output
    assert "theirs" in (site / "lines.txt").read_text()
    assert "mine" in (site / "lines.txt").read_text()
    assert json.loads((site / NAME).read_text())["directory"] == (new or None)
    commit(site)
    lines.commit({f"{new or '.'}/{TOP}/new.txt": "new\n"})
    assert drydock("check", site, "--fail-on", "conflict").exit_code == 3
    assert drydock("update", site).exit_code == 0
    assert (site / "new.txt").exists()


def test_a_secret_is_asked_for_without_an_echo(
    drydock: Drydock, lines: Template, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, dict[str, object]] = {}

    def prompt(name: str, **options: object) -> object:
        asked[name] = options
        return options["default"]

    monkeypatch.setattr("drydock.commands.update.is_terminal", lambda: True)
    monkeypatch.setattr("click.prompt", prompt)
    questions = {"slug": "site", "database": ["mysql"], "queue": "none", "api_token": "hunter2"}
    lines.commit({"cookiecutter.json": json.dumps(questions)})
    result = drydock("update", site)
    assert result.exit_code == 0, result.output
    assert [*asked] == ["queue", "api_token"]
    assert [one["hide_input"] for one in asked.values()] == [False, True]
    assert [one["show_default"] for one in asked.values()] == [True, False]
    assert "hunter2" not in result.output
    recorded = json.loads((site / NAME).read_text())["context"]["cookiecutter"]
    assert recorded == {"slug": "site", "database": "mysql", "queue": "none"}
    commit(site)
    asked.clear()
    assert drydock("update", site).exit_code == 0
    assert [*asked] == ["api_token"]


def test_a_secret_is_not_recorded_unless_it_was(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    questions = {
        "slug": "site",
        "api_token": "changeme",
        "deploy_key": ["yes", "no"],
        "use_token": True,
        "db": {"name": "site", "password": "changeme"},
    }
    files = {f"{TOP}/.env": "API_TOKEN={{ cookiecutter.api_token }}\n{{ cookiecutter.slug }}\n"}
    template = make_template(files, questions)
    project = template.generate(tmp_path / "projects")
    text = (project / NAME).read_text()
    data = json.loads(text)
    data["context"]["cookiecutter"] = {"slug": "site", "api_token": "hunter2"}
    (project / NAME).write_text(json.dumps(data))
    (project / ".env").write_text("API_TOKEN=hunter2\nsite\n")
    commit(project)
    template.commit({f"{TOP}/new.txt": "x"})
    options = ["--set", "api_token=hunter3", "--set", 'db={"password": "hunter4"}']
    result = drydock("update", project, *options)
    assert result.exit_code == 0, result.output
    assert (project / ".env").read_text() == "API_TOKEN=hunter3\nsite\n"
    assert json.loads((project / NAME).read_text())["context"]["cookiecutter"] == {
        "slug": "site",
        "api_token": "hunter2",
        "deploy_key": "yes",
        "use_token": True,
        "db": {"name": "site"},
    }
    assert not {*"34"} & {*re.findall("hunter(.)", (project / NAME).read_text())}


def test_a_secret_that_is_not_recorded_is_said(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    questions = {"slug": "site", "api_token": "changeme"}
    files = {f"{TOP}/.env": "API_TOKEN={{ cookiecutter.api_token }}\nA=1\nB=2\n"}
    template = make_template(files, questions)
    project = template.generate(tmp_path / "projects", api_token="hunter2")
    said = drydock("init", project, str(template.folder), "--set", "api_token=hunter2", "--force")
    assert said.exit_code == 0, said.output
    assert "hunter2" not in said.output + (project / NAME).read_text()
    assert "the template's defaults are used for api_token." in drydock("check", project).output
    known = drydock("check", project, "--set", "api_token=hunter2").output
    assert "defaults are used" not in known
    assert "hunter2" not in known


def linked(path: Path, target: str) -> None:
    """Put a link in the place of a file or folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(target)


def test_nothing_is_written_through_a_link(drydock: Drydock, lines: Template, site: Path) -> None:
    (site / "notes.txt").write_text("mine\n")
    linked(site / "lines.txt", "notes.txt")
    commit(site)
    (site / "notes.txt").write_text("in no commit\n")
    lines.commit({f"{TOP}/lines.txt": LINES + "theirs\n"})
    result = drydock("update", site)
    assert result.exit_code == 2
    assert "lines.txt: is a link here" in result.stderr
    assert (site / "lines.txt").is_symlink()
    # The link is committed, and what it leads to is another file.
    assert drydock("restore", site, "lines.txt").exit_code == 0
    assert not (site / "lines.txt").is_symlink()
    assert (site / "lines.txt").read_text() == LINES
    assert (site / "notes.txt").read_text() == "in no commit\n"


def nothing_writes_into_folder(drydock: Drydock, site: Path, why: str) -> None:
    """Assert that `restore` and `update` refuse to write into the folder, and say why."""
    for command in (["restore", "folder"], ["update"]):
        result = drydock(command[0], site, *command[1:])
        assert result.exit_code == 2, result.output
        assert why in result.stderr


def test_a_link_in_place_of_a_folder_is_not_followed(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    shutil.copytree(site / "folder", site / "mine")
    linked(site / "folder", "mine")
    commit(site)
    (site / "mine/deep.txt").write_text("in no commit\n")
    lines.commit({f"{TOP}/folder/deep.txt": "theirs\n"})
    nothing_writes_into_folder(drydock, site, "folder/deep.txt: is behind the link folder")
    assert (site / "mine/deep.txt").read_text() == "in no commit\n"


def test_a_file_that_the_template_removed_and_that_is_a_link_here(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    shutil.copy(site / "lines.txt", site / "mine.txt")
    linked(site / "lines.txt", "mine.txt")
    linked(site / "run.sh", "mine.txt")
    (site / "docker-compose.yml").write_text("services: {}\n")
    commit(site)
    before = contents(site)
    lines.commit({f"{TOP}/lines.txt": None, f"{TOP}/docker-compose.yml": "services:\n  a: 1\n"})
    assert drydock("update", site).exit_code == 1
    assert not (site / "lines.txt").is_symlink()
    assert (site / "mine.txt").read_text() == LINES
    assert drydock("update", site, "--abort").exit_code == 0
    assert (site / "lines.txt").readlink() == Path("mine.txt")
    assert contents(site) == before


@pytest.mark.parametrize("flag", ["skip-worktree", "assume-unchanged"])
def test_an_edit_that_git_was_told_to_overlook_is_not_touched(
    flag: str, drydock: Drydock, lines: Template, site: Path
) -> None:
    lines.commit({f"{TOP}/lines.txt": LINES + "theirs\n"})
    git(site, "update-index", f"--{flag}", "lines.txt", "run.sh")
    (site / "lines.txt").write_text("mine\n")
    for command in (["restore", "lines.txt"], ["update"]):
        result = drydock(command[0], site, *command[1:])
        assert result.exit_code == 2, result.output
        assert f"git update-index --no-{flag}" in result.stderr
    assert (site / "lines.txt").read_text() == "mine\n"
    git(site, "update-index", f"--no-{flag}", "lines.txt")
    git(site, "checkout", "lines.txt")
    git(site, "update-index", f"--{flag}", "lines.txt")
    assert drydock("update", site).exit_code == 0


@pytest.mark.parametrize("is_submodule", [True, False])
def test_another_repository_in_the_place_of_a_folder_is_not_touched(
    is_submodule: bool, drydock: Drydock, lines: Template, site: Path
) -> None:
    commit(site / "folder")
    git(site, "rm", "--cached", "-r", "--quiet", "folder")
    if is_submodule:
        git(site, "add", "folder")
    git(site, "commit", "--quiet", "--message", "Change")
    (site / "folder/deep.txt").write_text("deep\nin no commit\n")
    lines.commit({f"{TOP}/folder/deep.txt": "theirs\ndeep\n"})
    nothing_writes_into_folder(drydock, site, "folder is a git repository of its own")
    assert (site / "folder/deep.txt").read_text() == "deep\nin no commit\n"


def test_what_a_sparse_checkout_leaves_out_is_not_deleted(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    git(site, "sparse-checkout", "set", "--no-cone", "/*", "!/folder/")
    assert not (site / "folder").exists()
    assert drydock("check", site).exit_code == 0
    lines.commit({f"{TOP}/folder/deep.txt": "theirs\n", f"{TOP}/lines.txt": "theirs\n"})
    before = contents(site)
    result = drydock("update", site)
    assert result.exit_code == 2
    assert "folder/deep.txt: would be changed, but is not checked out" in result.stderr
    assert contents(site) == before
    git(site, "sparse-checkout", "disable")
    assert drydock("update", site).exit_code == 0
    assert (site / "folder/deep.txt").read_text() == "theirs\n"


def windows(text: str) -> bytes:
    """Return a text whose lines end in CRLF."""
    return text.replace("\n", "\r\n").encode()


def test_a_file_that_became_crlf_is_restored(drydock: Drydock, site: Path) -> None:
    (site / "lines.txt").write_bytes(windows(LINES))
    commit(site)
    assert drydock("restore", site, "lines.txt").exit_code == 0
    assert (site / "lines.txt").read_bytes() == LINES.encode()
    assert drydock("check", site).exit_code == 0


def test_a_record_stays_crlf(drydock: Drydock, lines: Template, site: Path) -> None:
    (site / NAME).write_bytes(windows((site / NAME).read_text()))
    commit(site)
    lines.commit({f"{TOP}/lines.txt": "new\n"})
    assert drydock("update", site).exit_code == 0
    assert (site / NAME).read_bytes() == windows((site / NAME).read_text())


def test_restore_leaves_crlf_where_git_checks_it_out(drydock: Drydock, site: Path) -> None:
    (site / ".gitattributes").write_text("lines.txt text eol=crlf\n")
    (site / "lines.txt").write_bytes(b"mine\r\n")
    commit(site)
    assert drydock("restore", site, "lines.txt").exit_code == 0
    assert (site / "lines.txt").read_bytes() == windows(LINES)
    assert drydock("check", site).exit_code == 0


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        ("crlf", "same", "lf", "lf"),
        ("lf", "same", "crlf", "crlf"),
        ("crlf", "same", "crlf", "crlf"),
        ("crlf", "crlf", "lf", "lf"),
        ("lf", "crlf", "lf", "crlf"),
        ("crlf", "lf", "crlf", "lf"),
        ("lf", "lf", "crlf", "crlf"),
    ],
)
def test_ends_of_lines_are_merged_like_everything_else(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path,
    base: str, ours: str, theirs: str, expected: str,
) -> None:  # fmt: skip
    def ends(text: str, kind: str) -> bytes:
        return windows(text) if kind == "crlf" else text.encode()

    template = make_template({f"{TOP}/lines.txt": ends(LINES, base)})
    project = template.generate(tmp_path / "projects")
    mine = LINES if ours == "same" else LINES.replace("line 1\n", "mine\n")
    if ours != "same":
        (project / "lines.txt").write_bytes(ends(mine, ours))
    commit(project)
    template.commit({f"{TOP}/lines.txt": ends(LINES.replace("line 9\n", "theirs\n"), theirs)})
    result = drydock("update", project)
    assert result.exit_code == 0, result.output
    merged = ends(mine.replace("line 9\n", "theirs\n"), expected)
    assert (project / "lines.txt").read_bytes() == merged


def test_a_pointer_never_replaces_the_file_that_it_stands_for(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 9\n"
    template = make_template({f"{TOP}/i.png": pointer.format("a"), f"{TOP}/a.txt": "a\n"})
    project = template.generate(tmp_path / "projects")
    (project / "i.png").write_bytes(b"\x89PNG\0\1")
    commit(project)
    said = drydock("check", project)
    assert said.exit_code == 0
    assert "i.png is not compared: in the template, its contents are in Git LFS" in said.output
    template.commit({f"{TOP}/i.png": pointer.format("b"), f"{TOP}/a.txt": "b\n"})
    assert drydock("update", project).exit_code == 0
    assert drydock("restore", project, "i.png").exit_code == 2
    assert (project / "i.png").read_bytes() == b"\x89PNG\0\1"
    assert (project / "a.txt").read_text() == "b\n"


def test_a_link_of_the_projects_own_is_in_nobodys_way(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    (site / "own").symlink_to("/etc/hostname")
    (site / "copy.txt").write_text(LINES)
    (site / "lines.txt").unlink()
    (site / "link.txt").symlink_to("copy.txt")
    (site / "copy.txt").unlink()
    commit(site)
    (site / "copy.txt").write_text(LINES)
    lines.commit({f"{TOP}/lines.txt": LINES + "theirs\n", f"{TOP}/run.sh": "#!/bin/sh\necho 2\n"})
    result = drydock("update", site)
    assert result.exit_code == 0, result.output
    assert "deleted here  lines.txt" in result.output
    assert (site / "copy.txt").read_text() == LINES


def test_a_file_that_git_ignores_is_updated_unless_it_is_edited(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    template = make_template({f"{TOP}/.env": "A=1\n", f"{TOP}/a.txt": "1\n"})
    project = template.generate(tmp_path / "projects")
    (project / ".gitignore").write_text(".env\n")
    commit(project)
    git(template.folder, "config", "core.excludesFile", "")
    template.commit({f"{TOP}/.env": "A=2\n"})
    assert drydock("update", project).exit_code == 0
    assert (project / ".env").read_text() == "A=2\n"
    commit(project)
    (project / ".env").write_text("A=mine\n")
    template.commit({f"{TOP}/.env": "A=3\n", f"{TOP}/a.txt": "2\n"})
    result = drydock("update", project)
    assert result.exit_code == 2
    assert ".env: would be changed, but git ignores it" in result.stderr
    assert "stash" not in result.stderr
    (project / ".drydock.toml").write_text('ignore = [".env"]\n')
    assert drydock("update", project).exit_code == 0
    assert (project / ".env").read_text() == "A=mine\n"
    assert (project / "a.txt").read_text() == "2\n"


def test_a_file_becomes_a_folder_and_a_folder_a_file(
    drydock: Drydock, lines: Template, site: Path
) -> None:
    (site / "docker-compose.yml").write_text("services: {}\n")
    commit(site)
    before = contents(site)
    lines.commit({f"{TOP}/lines.txt": None, f"{TOP}/folder/deep.txt": None,
                  f"{TOP}/docker-compose.yml": "services:\n  a: 1\n"})  # fmt: skip
    (lines.folder / TOP / "folder").rmdir()
    lines.commit({f"{TOP}/lines.txt/a": "new\n", f"{TOP}/folder": "file\n"})
    assert drydock("update", site).exit_code == 1
    assert (site / "lines.txt/a").read_text() == "new\n"
    assert (site / "folder").read_text() == "file\n"
    assert drydock("update", site, "--abort").exit_code == 0
    assert contents(site) == before
    (site / "folder/mine.txt").write_text("mine\n")
    before = contents(site)
    result = drydock("update", site)
    assert "folder: is a folder, but the template has a file here" in result.stderr
    assert contents(site) == before
