"""Accepting deviations, and restoring files."""

from pathlib import Path

import pytest

from drydock.record import NAME
from tests.support.templates import COMPOSE, TOP, Drydock, Template, git

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
