"""What is not compared: what cruft skips, by cruft's own meaning."""

import json
from pathlib import Path

import pytest
from cruft._commands.utils.generate import _get_skip_paths, _remove_paths

from drydock.errors import DrydockError
from drydock.policy import is_skipped, read_policy
from tests.drydock.test_update import commit
from tests.support.templates import QUESTIONS, TOP, Drydock, Template

PATHS = [
    "a.md",
    "docs/a.md",
    "docs/x/b.md",
    "docs/x/y/c.txt",
    "src/docs/a.md",
    ".env",
    "src/.env",
    "!a.md",
    "[x].md",
]
SKIPS = [
    "a.md", "docs", "docs/", "./docs", "docs/x", "docs/*", "docs/*.md", "*.md", "**/*.md", "**/a.md", "docs/**",
    "**/docs", "*/x", "*", "**", ".", ".env", "*.env", "**/.env", "!a.md", "[x].md", "[a]*", "?.md", "docs/**/c.txt",
    "/docs", "nothing", "x", "**/x/**/*.txt",
]  # fmt: skip


@pytest.mark.parametrize("skip", SKIPS)
def test_skip_means_what_it_means_to_cruft(skip: str, tmp_path: Path) -> None:
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    if not skip.startswith("/"):  # cruft would delete that folder of the machine.
        _remove_paths(tmp_path, _get_skip_paths({"skip": [skip]}, tmp_path / "pyproject.toml"))
    kept = [path for path in PATHS if (tmp_path / path).exists()]
    assert [path for path in PATHS if not is_skipped((skip,), path)] == kept


@pytest.mark.parametrize("skip", ["a**b", "", "..", "../a.md", "nul\0", "[", "**/" * 40 + "x"])
def test_an_odd_pattern_is_no_error(skip: str) -> None:
    assert is_skipped((skip,), "docs/a.md") is (skip == "")


def test_what_cruft_skips_in_pyproject_is_skipped(drydock: Drydock, project: Path) -> None:
    record = project / ".cruft.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "skip": ["run.sh"]}))
    for name in ("README.md", "run.sh", "my.cnf"):
        (project / name).write_text("mine\n")
    (project / "pyproject.toml").write_text('[tool.cruft]\nskip = ["*.md"]\n')
    (project / ".drydock.toml").write_text('ignore = ["my.cnf"]\n')
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    assert "1 files compared" in result.output
    (project / "docker-compose.yml").unlink()
    assert drydock("check", project).exit_code == 1


@pytest.mark.parametrize(
    "text", ["[tool.cruft]\nskip = 1\n", "[tool.cruft]\nskip = [1]\n", "tool = {"]
)
def test_what_cruft_could_not_read_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(
        DrydockError, match=r"pyproject.toml: (tool.cruft.skip is not|cannot be read)"
    ):
        read_policy(tmp_path)


def ships(template: Template, policy: object, name: str = "_drydock") -> str:
    """Let a template ship a policy."""
    return template.commit({"cookiecutter.json": json.dumps({**QUESTIONS, name: policy})})


EDITED = ("README.md", "run.sh", "my.cnf", "docker-compose.yml")


@pytest.fixture
def edited(project: Path) -> Path:
    """Return a project in which every file is edited."""
    for name in EDITED[:3]:
        (project / name).write_text("mine\n")
    compose = project / EDITED[3]
    compose.write_text(compose.read_text().replace("web:1", "web:2"))
    return project


def states(drydock: Drydock, project: Path) -> dict[str, bool]:
    """Return which files differ, and whether they are the project's own."""
    drifts = json.loads(drydock("check", project, "--json").stdout)["drifts"]
    return {drift["path"]: drift["yours"] for drift in drifts}


SHIPPED = {
    "yours": ["/README.md", "/run.sh"],
    "ignore": ["*.cnf", "nothing/"],
    "ignore-keys": ["*.yml: services.web", "*.yml: nothing"],
}


def test_a_template_ships_a_policy(drydock: Drydock, template: Template, edited: Path) -> None:
    assert len(states(drydock, edited)) == 4
    ships(template, SHIPPED)
    assert states(drydock, edited) == {"README.md": True, "run.sh": True}
    result = drydock("check", edited)
    assert result.exit_code == 0, result.output
    assert "Nothing matches" not in result.output  # Only what the project ignores is its business.


def test_the_projects_policy_takes_precedence(
    drydock: Drydock, template: Template, edited: Path
) -> None:
    ships(template, SHIPPED)
    (edited / ".drydock.toml").write_text(
        'yours = ["!/README.md"]\nignore = ["!my.cnf", "*.yml", "none", "!none"]\n'
    )
    assert states(drydock, edited) == {"README.md": False, "run.sh": True, "my.cnf": False}
    shown = drydock("check", edited).output
    assert shown.count("Nothing matches what is ignored") == 2
    assert "Nothing matches what is ignored: !none" in shown


def test_the_policy_is_that_of_the_commit_that_is_compared_with(
    drydock: Drydock, template: Template, edited: Path
) -> None:
    old = template.head()
    ships(template, SHIPPED)
    assert len(states(drydock, edited)) == 2
    drifts = json.loads(drydock("check", edited, "--json", "--to", old).stdout)["drifts"]
    assert len(drifts) == 4


def test_a_policy_may_use_answers(drydock: Drydock, template: Template, edited: Path) -> None:
    names = ["{{ 'README.md' if cookiecutter.database == 'mysql' else 'run.sh' }}"]
    ships(template, {"yours": names}, "__drydock")
    assert states(drydock, edited) == {
        "README.md": True, "run.sh": False, "my.cnf": False, "docker-compose.yml": False,
    }  # fmt: skip


def test_an_update_leaves_alone_what_a_template_ignores(
    drydock: Drydock, template: Template, project: Path
) -> None:
    commit(project)
    ships(template, {"ignore": ["README.md"]})
    template.commit({f"{TOP}/README.md": "new\n", f"{TOP}/run.sh": "new\n"})
    assert drydock("update", project).exit_code == 0
    assert (project / "README.md").read_text() != "new\n"
    assert (project / "run.sh").read_text() == "new\n"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ([], "_drydock is not an object with yours, ignore, ignore-keys"),
        ({"yours": "x"}, "yours is not a list of strings"),
        ({"accepted": []}, "accepted is not known"),
        ({"ignore-keys": ["x"]}, "is not in the form"),
        ({"ignore": ["!"]}, "is not a pattern as in .gitignore"),
    ],
)
def test_a_shipped_policy_in_another_form_is_an_error(
    drydock: Drydock, template: Template, project: Path, policy: object, words: str
) -> None:
    ships(template, policy)
    result = drydock("check", project)
    assert result.exit_code == 2
    assert words in result.stderr
