"""A site moves from one database server to the next, as its docs/recipes.md says."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.stack.conftest import IDENTITY, Stack, serve
from tests.support.commands import run, succeed, tool
from tests.support.projects import env_values
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


def test_every_row_arrives(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack("journey")
    serve(stack)
    stack.add_administrator()
    stack.execute("backend", "python", "manage.py", "seed_readings")
    with stack.client() as client:
        stack.log_in(client)
    stack.shell(
        "from django.contrib.auth.models import Group; User.objects.get().groups.create(name='팀')"
    )
    before = rows(stack)
    assert len({row["model"] for row in before}) > 4
    steps = read((stack.folder / "docs/recipes.md").read_text())["Another database server"].steps
    for database in JOURNEY:
        move(stack, [str(step) for step in steps], database)
        assert rows(stack) == before
        assert stack.status("/") == 200


def move(stack: Stack, commands: list[str], database: str) -> None:
    """Run the commands of the recipe, with another database."""
    update, server = commands.index("drydock update --set database=postgresql"), "make backup"
    for command in commands[: update + 1]:
        words = command.replace("postgresql", database).split()
        result = run(tool(words[0]), *words[1:], cwd=stack.folder)
        assert result.returncode in (0, 1), result.stdout
    succeed("git", "add", "--all", cwd=stack.folder)
    succeed("git", *IDENTITY, "commit", "--quiet", "-m", "Move", cwd=stack.folder)
    has, wants = (env_values(stack.folder / name) for name in (".env", ".env.example"))
    with (stack.folder / ".env").open("a") as env:
        for name in wants.keys() - has.keys():
            env.write(f"{name}=0123456789abcdef\n")
    for command in commands[commands.index(server) :]:
        succeed("bash", "-ec", command.replace("git pull && ", ""), cwd=stack.folder)
