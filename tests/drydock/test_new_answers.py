"""A project of this template whose answers change, as its docs/recipes.md says."""

from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter

from drydock.record import NAME, read_record
from drydock.tree import read_tree
from tests.support.templates import Drydock, Template, copied, git


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Return this repository as it is now, as a template."""
    return copied(tmp_path_factory.mktemp("template"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "others"),
    [
        ("database=postgresql", {}),
        ("django_version=6.1", {}),
        ("task_queue=celery", {}),
        ("task_queue=celery", {"deploy": "swarm"}),
        ("deploy=kubernetes", {"task_queue": "celery"}),
        ("services=http", {}),
        ("deploy=ssh", {}),
    ],
)
def test_the_project_becomes_what_the_new_answer_makes(
    answer: str, others: dict[str, str], template: Template, drydock: Drydock, tmp_path: Path
) -> None:
    old = {"no_input": True, "output_dir": tmp_path / "before", "extra_context": others}
    project = Path(cookiecutter(str(template.folder), **old))
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "First")
    result = drydock("update", project, "--set", answer)
    assert result.exit_code in (0, 1), result.output
    name, value = answer.split("=")
    new = {
        "no_input": True,
        "output_dir": tmp_path / "after",
        "extra_context": {**others, name: value},
    }
    wanted = read_tree(Path(cookiecutter(str(template.folder), **new)))
    found = read_tree(project)
    # The secrets, and the record, whose private values are in another order.
    assert read_record(project).answers == read_record(tmp_path / "after" / project.name).answers
    ignored = {".env", NAME}
    assert {p: f for p, f in found.items() if p not in ignored and p[:5] != ".git/"} == {
        p: f for p, f in wanted.items() if p not in ignored
    }
