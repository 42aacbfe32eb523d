"""Accepting deviations, and restoring files."""

import json
import os
from pathlib import Path

import pytest

from drydock import accept as acceptances
from drydock.record import NAME
from drydock.tree import File
from tests.support.templates import COMPOSE, TOP, Drydock, MakeTemplate, Template, git

EDITED = COMPOSE.replace("{{ cookiecutter.database }}", "mysql").replace("always", "no")


@pytest.fixture
def edited(project: Path) -> Path:
    """Return a project in which a value and a file have been edited."""
    (project / "docker-compose.yml").write_text(EDITED)
    (project / "README.md").write_text("mine\n")
    return project


def accept(drydock: Drydock, project: Path, *words: str) -> None:
    """Accept something."""
    result = drydock("accept", project, *words, "--reason", 'it is "ours" \\ 우리')
    assert result.exit_code == 0, result.output + result.stderr


def test_what_is_accepted_is_no_drift(drydock: Drydock, edited: Path) -> None:
    assert drydock("check", edited).exit_code == 1
    accept(drydock, edited, "docker-compose.yml:services.db.restart", "README.md")
    result = drydock("check", edited)
    assert result.exit_code == 0, result.output
    assert "1 of your own, or accepted, differ" in result.output
    assert "edited here, accepted  README.md" in drydock("check", edited, "-v").output
    # Another edit is drift again: to the same key, to another key, to the file.
    (edited / "docker-compose.yml").write_text(EDITED.replace("no", "on-failure"))
    result = drydock("check", edited)
    assert result.exit_code == 1
    assert "was accepted (it is \"ours\" \\ 우리), but no longer is: the file has changed" in result.output  # fmt: skip
    (edited / "docker-compose.yml").write_text(EDITED.replace("web:1", "web:2"))
    assert drydock("check", edited).exit_code == 1
    accept(drydock, edited, "docker-compose.yml")
    assert drydock("check", edited).exit_code == 0
    (edited / "README.md").write_text("mine, too\n")
    assert drydock("check", edited).exit_code == 1
    accept(drydock, edited, "README.md")
    assert drydock("check", edited).exit_code == 0
    assert (edited / ".drydock.toml").read_text().count('file = "README.md"') == 1


def test_news_upstream_end_it(drydock: Drydock, template: Template, edited: Path) -> None:
    accept(drydock, edited, "docker-compose.yml:services.db.restart", "README.md")
    template.commit({f"{TOP}/docker-compose.yml": COMPOSE.replace("always", "unless-stopped")})
    result = drydock("check", edited)
    assert result.exit_code == 1
    assert "services.db.restart was accepted" in result.output
    assert "the template has changed it" in result.output
    assert "README.md: was accepted" not in result.output


def test_a_day_ends_it(drydock: Drydock, edited: Path) -> None:
    (edited / "README.md").unlink()
    accept(drydock, edited, "README.md", "--until", "2999-12-31")
    accept(drydock, edited, "docker-compose.yml", "--until", "2001-01-01")
    result = drydock("check", edited)
    assert result.exit_code == 1
    assert "docker-compose.yml: was accepted" in result.output
    assert "only until 2001-01-01" in result.output
    assert "README.md" not in result.output


def test_it_goes_where_the_policy_is(drydock: Drydock, edited: Path) -> None:
    policy = edited / "pyproject.toml"
    policy.write_text('# mine\n[tool.drydock]\nyours = ["run.sh"]\n[tool.x]\na = 1\n')
    accept(drydock, edited, "README.md", "docker-compose.yml")
    accept(drydock, edited, "README.md")
    text = policy.read_text()
    assert text.startswith('# mine\n[tool.drydock]\nyours = ["run.sh"]\n[tool.x]\na = 1\n')
    assert text.count("[[tool.drydock.accepted]]") == 2
    assert not (edited / ".drydock.toml").exists()
    assert drydock("check", edited).exit_code == 0


def test_a_key_is_accepted_in_one_file_alone(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    files = {f"{TOP}/{name}": "a: 1\n" for name in ("a.yml", "sub/a.yml")}
    project = make_template(files).generate(tmp_path / "projects")
    for name in ("a.yml", "sub/a.yml"):
        (project / name).write_text("a: 2\n")
    accept(drydock, project, "a.yml:a")
    report = json.loads(drydock("check", project, "--json").stdout)
    assert [drift["path"] for drift in report["drifts"]] == ["sub/a.yml"]


@pytest.mark.parametrize(
    "name",
    ["a[1].yml", "!a.yml", "#a.yml", "a*.yml", "a?.yml", "a: b.yml", " a .yml", "a#b.yml", "d/[x]/a.yml", "한 글.yml"],
)  # fmt: skip
def test_a_key_is_accepted_whatever_the_file_is_called(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path, name: str
) -> None:
    project = make_template({f"{TOP}/{name}": "a: 1\nb: 1\n"}).generate(tmp_path / "projects")
    (project / name).write_text("a: 2\nb: 1\n")
    # A name with a colon can only be accepted as a whole, so the policy is written by hand.
    if ":" in name:
        accept(drydock, project, name)
        policy = project / ".drydock.toml"
        sides = [{name: File(data=f"a: {number}\nb: 1\n".encode())} for number in (1, 2)]
        made = acceptances.made(name, "a", "ours", None, *sides)
        policy.unlink()
        acceptances.write(project, [made])
    else:
        accept(drydock, project, f"{name}:a")
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    assert "was accepted" not in result.output


PYPROJECT = (
    "[project]\nname = 'x'\nversion = '1'\n\n[tool.drydock]\nyours = []\n\n[tool.x]\ny = 1\n"
)


@pytest.fixture
def packaged(make_template: MakeTemplate, tmp_path: Path) -> Path:
    """Return a project whose pyproject.toml, with a policy in it, is the template's."""
    files = {f"{TOP}/pyproject.toml": PYPROJECT, f"{TOP}/a.yml": "a: 1\n", f"{TOP}/b.yml": "a: 1\n"}
    return make_template(files).generate(tmp_path / "projects")


def test_a_policy_in_a_file_of_the_template_is_no_drift(drydock: Drydock, packaged: Path) -> None:
    (packaged / "a.yml").write_text("a: 2\n")
    accept(drydock, packaged, "a.yml:a")
    assert "[[tool.drydock.accepted]]" in (packaged / "pyproject.toml").read_text()
    result = drydock("check", packaged)
    assert result.exit_code == 0, result.output
    assert "pyproject.toml" not in result.output
    # Only what is not of the policy is an edit, and accepted.
    policy = packaged / "pyproject.toml"
    policy.write_text(policy.read_text().replace("'1'", "'2'"))
    result = drydock("check", packaged)
    assert result.exit_code == 1
    assert "project.version" in result.output
    assert "tool.drydock" not in result.output
    for things in (["pyproject.toml:project.version"], ["pyproject.toml"], ["b.yml"]):
        if things == ["b.yml"]:
            (packaged / "b.yml").write_text("a: 2\n")
        accept(drydock, packaged, *things)
        result = drydock("check", packaged)
        assert result.exit_code == 0, result.output
        assert "was accepted" not in result.output


def test_a_policy_file_of_the_template_is_no_drift(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    files = {f"{TOP}/.drydock.toml": "yours = []\n", f"{TOP}/a.yml": "a: 1\n"}
    project = make_template(files).generate(tmp_path / "projects")
    (project / "a.yml").write_text("a: 2\n")
    accept(drydock, project, "a.yml")
    result = drydock("check", project)
    assert result.exit_code == 0, result.output


def test_a_policy_keeps_its_ends_of_lines_and_its_mode(drydock: Drydock, edited: Path) -> None:
    policy = edited / "pyproject.toml"
    policy.write_bytes(b"[tool.drydock]\r\nyours = []\r\n")
    policy.chmod(0o600)
    accept(drydock, edited, "README.md")
    data = policy.read_bytes()
    assert data.startswith(b"[tool.drydock]\r\nyours = []\r\n\r\n[[tool.drydock.accepted]]\r\n")
    assert data.count(b"\n") == data.count(b"\r\n")
    assert policy.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["pyproject.toml", ".drydock.toml"])
def test_a_file_of_the_team_beside_the_policy_stays(
    drydock: Drydock, edited: Path, name: str
) -> None:
    (edited / name).write_text("[tool.drydock]\n" if name == "pyproject.toml" else "")
    (edited / f"{name}.new").write_text("mine\n")
    before = {path.name for path in edited.iterdir()}
    accept(drydock, edited, "README.md")
    assert (edited / f"{name}.new").read_text() == "mine\n"
    assert {path.name for path in edited.iterdir()} == before


def test_comments_around_an_entry_stay(drydock: Drydock, edited: Path) -> None:
    policy = edited / ".drydock.toml"
    accept(drydock, edited, "README.md")
    text = policy.read_text().replace("[[accepted]]\n", "[[accepted]]\n# in the entry\n")
    policy.write_text(f"# first\n\n{text}\n# of the next\n# two lines\n[[accepted]]\n" + 'file = "run.sh"\nreason = "x"\nhash = "y"\n# last\n')  # fmt: skip
    before = policy.read_text()
    accept(drydock, edited, "README.md")
    assert policy.read_text() == before
    (edited / "README.md").write_text("mine, too\n")
    accept(drydock, edited, "README.md")
    assert policy.read_text() != before
    assert [line for line in policy.read_text().splitlines() if line not in before.splitlines()] == [
        line for line in policy.read_text().splitlines() if line.startswith("hash = ") and '"y"' not in line
    ]  # fmt: skip


def test_what_toml_cannot_name_is_said(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    project = make_template({f"{TOP}/{name}": "a\n"}).generate(tmp_path / "projects")
    (project / name).write_text("b\n")
    result = drydock("accept", project, name, "--reason", "why")
    assert result.exit_code == 2
    assert ".drydock.toml: TOML can only have UTF-8" in result.stderr
    assert not (project / ".drydock.toml").exists()


def test_entries_in_another_form_are_not_mixed(drydock: Drydock, edited: Path) -> None:
    policy = edited / ".drydock.toml"
    policy.write_text('accepted = [{file = "run.sh", reason = "x", hash = "y"}]\n')
    before = policy.read_text()
    result = drydock("accept", edited, "README.md", "--reason", "why")
    assert result.exit_code == 2
    assert "a table of its own, [[accepted]]" in result.stderr
    assert policy.read_text() == before


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ("run.sh", "run.sh: is the same as in the template"),
        ("docker-compose.yml:services.web", "services.web is the same as in the template"),
        ("docker-compose.yml:nothing", "has no key nothing"),
        ("nothing.txt", "the template has no such file"),
    ],
)
def test_what_cannot_be_accepted(drydock: Drydock, edited: Path, thing: str, message: str) -> None:
    result = drydock("accept", edited, thing, "--reason", "why")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (edited / ".drydock.toml").exists()


@pytest.mark.parametrize(
    "entry", ['file = "a"', 'file = 1\nreason = "b"\nhash = "c"', 'file = "a"\nreason = "b"\nhash = "c"\nuntil = "d"']
)  # fmt: skip
def test_a_broken_entry_is_named(drydock: Drydock, project: Path, entry: str) -> None:
    (project / ".drydock.toml").write_text(f"[[accepted]]\n{entry}\n")
    result = drydock("check", project)
    assert result.exit_code == 2
    assert "accepted: each entry needs a file, a reason and a hash" in result.stderr


def test_a_file_is_restored(drydock: Drydock, edited: Path) -> None:
    assert "not in a git repository" in drydock("restore", edited, "README.md").stderr
    git(edited, "init", "--quiet")
    assert "has uncommitted changes" in drydock("restore", edited, "README.md").stderr
    assert (edited / "README.md").read_text() == "mine\n"
    git(edited, "add", "--all")
    git(edited, "commit", "--quiet", "--message", "Mine")
    (edited / "run.sh").unlink()
    result = drydock("restore", edited, "README.md", "run.sh")
    assert result.exit_code == 0, result.stderr
    assert (edited / "README.md").read_text() == "# site\n\nA line.\n"
    assert (edited / "run.sh").stat().st_mode & 0o100
    assert (edited / "docker-compose.yml").read_text() == EDITED
    assert drydock("restore", edited, "nothing").exit_code == 2


def test_a_moved_template_may_be_well(drydock: Drydock, template: Template, project: Path) -> None:
    template.commit({f"{TOP}/README.md": "new\n"})
    result = drydock("check", project)
    assert result.exit_code == 3
    assert "To take the template's changes: `drydock update`" in result.output
    assert drydock("check", project, "--moved-ok").exit_code == 0


def test_a_diff_says_by_its_status_whether_there_is_one(drydock: Drydock, project: Path) -> None:
    assert drydock("diff", project, "--exit-code").exit_code == 0
    assert drydock("diff", project, "--exit-code", "--patch").exit_code == 0
    (project / "README.md").write_text("mine\n")
    result = drydock("diff", project, "--exit-code")
    assert result.exit_code == 1
    assert "+mine" in result.output
    assert drydock("diff", project, "--exit-code", "--patch").exit_code == 1
    assert drydock("diff", project).exit_code == 0
    assert "If intended: `drydock accept FILE" in drydock("check", project).output


def test_only_what_does_not_merge_is_a_conflict(
    drydock: Drydock, template: Template, project: Path
) -> None:
    (project / "docker-compose.yml").write_text(EDITED)
    template.commit({f"{TOP}/docker-compose.yml": COMPOSE.replace("web:1", "web:2")})
    result = drydock("check", project)
    assert "merges cleanly  docker-compose.yml" in result.output
    assert result.exit_code == 1
    assert drydock("check", project, "--fail-on", "conflict").exit_code == 0
    assert (project / NAME).exists()
