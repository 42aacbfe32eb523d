"""A site moves from one database server to the next, as its docs/recipes.md says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stack.conftest import IDENTITY, Stack, serve
from tests.support.commands import drydock, succeed
from tests.support.projects import complete_env
from tests.support.recipes import read
from tests.support.stacks import only_in_the_long_form

pytestmark = [pytest.mark.stack, only_in_the_long_form]

JOURNEY = ["postgresql", "mariadb", "mysql"]
DUMP = [
    "dumpdata",
    "--natural-foreign",
    "--exclude",
    "contenttypes",
    "--exclude",
    "auth.permission",
]


def rows(stack: Stack) -> list[dict[str, Any]]:
    """Return every row of the site's database."""
    found: list[dict[str, Any]] = json.loads(stack.execute("backend", "python", "manage.py", *DUMP))
    return sorted(found, key=lambda row: (row["model"], str(row["pk"])))


def test_every_row_arrives(make_stack: Callable[..., Stack], tmp_path: Path) -> None:
    stack = make_stack("journey")
    serve(stack)
    repository = tmp_path / "journey"
    succeed("git", "clone", "--quiet", stack.folder, repository, cwd=tmp_path)
    succeed("git", "remote", "add", "--fetch", "origin", repository, cwd=stack.folder)
    succeed("git", "branch", "--quiet", "--set-upstream-to", "origin/main", cwd=stack.folder)
    stack.add_administrator()
    stack.execute("backend", "python", "manage.py", "seed_readings")
    with stack.client() as client:
        stack.log_in(client)
    stack.shell(
        "from django.contrib.auth.models import Group; User.objects.get().groups.create(name='팀')"
    )
    before = rows(stack)
    assert len({row["model"] for row in before}) > 4
    recipe = read((stack.folder / "docs/recipes.md").read_text())["Another database server"]
    steps = [str(step) for step in recipe.steps]
    on_server = steps.index("make backup")
    for database in JOURNEY:
        update(repository, [step.replace("postgresql", database) for step in steps[:on_server]])
        complete_env(stack.folder / ".env", repository / ".env.example")
        for command in steps[on_server:]:
            succeed("bash", "-ec", command, cwd=stack.folder)
        assert rows(stack) == before
        assert stack.status("/") == 200


def update(repository: Path, commands: list[str]) -> None:
    """Run the commands for the repository, and commit."""
    for command in commands:
        program, *words = command.split()
        assert program == "drydock"
        result = drydock(*words, cwd=repository)
        # 3: a preview has something to show.
        assert result.returncode == (3 if "preview" in words else 0), result.stdout
    succeed("git", "add", "--all", cwd=repository)
    succeed("git", *IDENTITY, "commit", "--quiet", "-m", "Move", cwd=repository)
