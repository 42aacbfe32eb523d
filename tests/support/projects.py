"""Generated projects: the types of their fixtures, and what their files say."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.support.catalogue import CATALOGUE

Bake = Callable[..., Path]
Environment = Callable[[str], Path]


def env_values(path: Path) -> dict[str, str]:
    """Return the variables that an env file sets."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def complete_env(env: Path, example: Path) -> None:
    """Add the variables of a newer .env.example to a .env that lacks them, as its owner does."""
    has, wants = env_values(env), env_values(example)
    with env.open("a") as file:
        for name in wants.keys() - has.keys():
            file.write(f"{name}={wants[name] or '0123456789abcdef' * 4}\n")


def lint_commands(project: Path) -> list[str]:
    """Return the commands that `make lint` runs according to the project's Makefile, without the package manager."""
    makefile = (project / "Makefile").read_text()
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe
    managers = "|".join(manager["run"] for manager in CATALOGUE["_package_managers"].values())
    commands = [re.sub(managers, "", line.strip(), count=1) for line in recipe[1].splitlines()]
    assert len(commands) >= 4
    return commands


def ci_steps(project: Path, job: str) -> list[dict[str, Any]]:
    """Return the steps of a CI job that run a command when nothing has failed.

    The `env` of each includes the variables of its job.
    """
    workflow = yaml.safe_load((project / ".github/workflows/ci.yml").read_text())
    entry = workflow["jobs"][job]
    return [
        {**step, "env": {**entry.get("env", {}), **step.get("env", {})}}
        for step in entry["steps"]
        if "run" in step and step.get("if") != "failure()"
    ]


def migration(operation: str) -> str:
    """Return a second migration of the app `accounts`, with one operation."""
    return f"""from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.{operation}]
"""


# The release that serves can live with the first two only. SQLite's statements do not show what is wrong with the last.
MIGRATIONS = {
    "0002_optional": migration('AddField("user", "phone", models.TextField(null=True))'),
    "0002_default": migration('AddField("user", "level", models.IntegerField(db_default=0))'),
    "0002_drop": migration('RemoveField("user", "first_name")'),
    "0002_required": migration('AddField("user", "mobile", models.TextField(default=""))'),
}
