"""Files that a template renames and says so: an edit of the old one belongs to the new one."""

import json
import subprocess
from pathlib import Path

import pytest

from drydock.renames import followed, renames
from drydock.tree import File
from tests.drydock.test_commands import report
from tests.drydock.test_update import commit, contents
from tests.support.templates import QUESTIONS, TOP, Drydock, MakeTemplate, Template, git

OLD = "".join(f"line {number}\n" for number in range(6))
# So little is left that git would not take it for the same file.
NEW = "line 0\n" + "".join(f"other {number}\n" for number in range(20))
MOVES = {"{{ cookiecutter.slug }}/a.txt": "{{ cookiecutter.slug }}/b.txt", "conf/": "config/"}


def with_moves(moves: object) -> dict[str, str]:
    """Return a cookiecutter.json that says which files were renamed."""
    return {"cookiecutter.json": json.dumps({**QUESTIONS, "_migrations": {"files": moves}})}


@pytest.fixture
def template(make_template: MakeTemplate) -> Template:
    """Return a template with a file and a folder that will be renamed."""
    top = f"{TOP}/{{{{cookiecutter.slug}}}}"
    return make_template({f"{top}/a.txt": OLD, f"{TOP}/conf/x.ini": "[x]\na = 1\nb = 1\n"})


@pytest.fixture
def project(template: Template, tmp_path: Path) -> Path:
    """Return a committed project from that template."""
    made = template.generate(tmp_path / "projects")
    commit(made)
    return made


def rename(template: Template, text: str = OLD) -> None:
    """Rename what the template has, and change the file."""
    top = f"{TOP}/{{{{cookiecutter.slug}}}}"
    template.commit({
        **with_moves(MOVES), f"{top}/a.txt": None, f"{top}/b.txt": text, f"{TOP}/conf/x.ini": None,
        f"{TOP}/config/x.ini": "[x]\na = 1\nb = 1\n",
    })  # fmt: skip


def states(drydock: Drydock, project: Path) -> dict[str, tuple[str, str | None]]:
    """Return the state and the old name of each file that differs."""
    drifts = report(drydock, project)["drifts"]
    return {drift["path"]: (drift["state"], drift["renamed"]) for drift in drifts}


@pytest.mark.parametrize(
    ("here", "upstream", "state"),
    [
        (OLD, OLD, "changed upstream"),
        (OLD, NEW, "changed upstream"),
        (OLD + "mine\n", OLD, "merges cleanly"),
        (OLD + "mine\n", OLD.replace("line 0", "new"), "merges cleanly"),
        (OLD + "mine\n", OLD + "theirs\n", "conflict"),
        (OLD + "same\n", OLD + "same\n", "changed upstream"),
        (None, NEW, "deleted here"),
    ],
)
def test_a_renamed_file_is_compared_with_the_old_one(
    drydock: Drydock, template: Template, project: Path, here: str | None, upstream: str, state: str
) -> None:
    old = project / "site/a.txt"
    old.unlink() if here is None else old.write_text(here)
    rename(template, upstream)
    assert states(drydock, project) == {
        "config/x.ini": ("changed upstream", "conf/x.ini"),
        "site/b.txt": (state, None if here is None else "site/a.txt"),
    }
    shown = drydock("check", project).output
    assert "conf/x.ini -> config/x.ini" in shown


def test_an_update_carries_an_edit_to_the_new_name(
    drydock: Drydock, template: Template, project: Path
) -> None:
    old = project / "conf/x.ini"
    old.write_bytes(b"[x]\r\na = 2\r\nb = 1\r\n")
    old.chmod(0o600)
    (project / "site/a.txt").write_text("mine\n" + OLD)
    commit(project)
    rename(template, OLD + "theirs\n")
    result = drydock("update", project)
    assert result.exit_code == 0, result.output
    for line in ("renamed  config/x.ini", "removed  conf/x.ini", "merged   site/b.txt"):
        assert line in result.output
    assert (project / "config/x.ini").read_bytes() == b"[x]\r\na = 2\r\nb = 1\r\n"
    assert (project / "config/x.ini").stat().st_mode & 0o777 == 0o600
    assert (project / "site/b.txt").read_text() == "mine\n" + OLD + "theirs\n"
    assert not (project / "site/a.txt").exists()
    assert not (project / "conf").exists()
    commit(project)
    assert {*states(drydock, project)} == {"config/x.ini", "site/b.txt"}
    after = contents(project)
    assert "0 files changed" in drydock("update", project).output
    assert contents(project) == after


def test_a_conflict_is_at_the_new_name_and_can_be_undone(
    drydock: Drydock, template: Template, project: Path
) -> None:
    (project / "site/a.txt").write_text(OLD + "mine\n")
    commit(project)
    rename(template, OLD + "theirs\n")
    before, index = contents(project), git(project, "ls-files", "--stage")
    assert drydock("update", project).exit_code == 1
    assert "<<<<<<< yours\nmine\n" in (project / "site/b.txt").read_text()
    assert git(project, "ls-files", "--unmerged").count("site/b.txt") == 3
    assert drydock("update", project, "--abort").exit_code == 0
    assert (contents(project), git(project, "ls-files", "--stage")) == (before, index)


@pytest.mark.parametrize("name", ["site/a.txt", "site/b.txt"])
def test_one_renamed_file_now_and_the_rest_later(
    drydock: Drydock, template: Template, project: Path, name: str
) -> None:
    rename(template, NEW)
    assert drydock("update", project, name).exit_code == 0
    assert (project / "site/b.txt").read_text() == NEW
    assert not (project / "site/a.txt").exists()
    commit(project)
    assert states(drydock, project) == {"config/x.ini": ("changed upstream", "conf/x.ini")}


def test_a_file_that_is_renamed_here_as_well_is_the_same(
    drydock: Drydock, template: Template, project: Path
) -> None:
    rename(template)
    (project / "site/a.txt").rename(project / "site/b.txt")
    (project / "conf").rename(project / "config")
    assert states(drydock, project) == {}
    (project / "site/b.txt").write_text("mine\n")
    assert states(drydock, project) == {"site/b.txt": ("edited here", None)}


def test_a_patch_renames(drydock: Drydock, template: Template, project: Path) -> None:
    rename(template, NEW)
    assert "+other 1" in drydock("diff", project, "site/a.txt").output
    patch = drydock("diff", project, "--patch").stdout_bytes
    subprocess.run(["git", "-C", str(project), "apply"], input=patch, check=True)
    assert (project / "site/b.txt").read_text() == NEW
    assert not (project / "site/a.txt").exists()
    assert states(drydock, project) == {"site/b.txt": ("same change", None)}


def test_restore_and_accept_know_the_name_that_is_here(
    drydock: Drydock, template: Template, project: Path
) -> None:
    (project / "site/a.txt").write_text("mine\n")
    (project / "conf/x.ini").write_text("mine\n")
    commit(project)
    assert drydock("accept", project, "site/a.txt", "--reason", "ours").exit_code == 0
    (project / "pyproject.toml").write_text("")
    rename(template)
    assert drydock("restore", project, "conf/x.ini").exit_code == 0
    assert (project / "conf/x.ini").read_text() == "[x]\na = 1\nb = 1\n"
    (drift,) = [one for one in report(drydock, project)["drifts"] if one["renamed"] == "site/a.txt"]
    assert drift["accepted"] == "ours"


def test_a_policy_of_the_old_name_counts(
    drydock: Drydock, template: Template, project: Path
) -> None:
    (project / ".drydock.toml").write_text('yours = ["a.txt"]\nignore = ["/conf/"]\n')
    (project / "site/a.txt").write_text("mine\n")
    rename(template)
    (drift,) = report(drydock, project)["drifts"]
    assert (drift["path"], drift["yours"]) == ("site/b.txt", True)


@pytest.mark.parametrize(
    "moves", [[], {"a": 1}, {"a/": "b"}, {"a": "b/"}, {"{{ 1 / 0 }}": "b"}, {"{{": "b"}]
)
def test_moves_in_another_form_are_an_error(
    drydock: Drydock, template: Template, project: Path, moves: object
) -> None:
    template.commit(with_moves(moves or [1]))
    result = drydock("update", project)
    assert result.exit_code == 2
    assert "_migrations" in result.stderr


def tree(*paths: str) -> dict[str, File]:
    """Return empty files."""
    return {path: File(data=b"") for path in paths}


def test_a_file_is_followed_step_by_step_and_not_for_ever() -> None:
    moves = {"a": "b", "b": "c", "x/": "y/", "x/1": "z", "l": "m", "m": "l"}
    assert followed(moves, "a", tree("c")) == "c"
    assert followed(moves, "x/1", tree("z", "y/1")) == "z"
    assert followed(moves, "x/2", tree("y/2")) == "y/2"
    assert followed(moves, "l", tree("c")) in ("l", "m")
    assert followed(moves, "other", tree("c")) == "other"


def test_only_what_was_renamed_between_two_renders_counts() -> None:
    moves = {"a": "b", "c": "b"}
    assert renames(moves, tree("a"), tree("b"), tree("a")) == {"a": "b"}
    assert renames(moves, tree("a"), tree("b"), tree("b")) == {"a": "b"}
    assert renames(moves, tree("a"), tree("b"), tree("a", "b")) == {}
    assert renames(moves, tree("a", "b"), tree("b"), tree("a")) == {}
    assert renames(moves, tree("a"), tree("a", "b"), tree("a")) == {}
    assert renames(moves, tree("a", "c"), tree("b"), tree("a", "c")) == {"a": "b"}
