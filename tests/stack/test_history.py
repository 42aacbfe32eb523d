"""Projects that this template made in the past, edited by their owners, are brought up to date, and run."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stack.conftest import IDENTITY, Stack
from tests.support.catalogue import ROOT
from tests.support.commands import drydock, succeed, tool
from tests.support.projects import complete_env
from tests.support.stacks import only_in_the_long_form

pytestmark = [pytest.mark.stack, only_in_the_long_form]

TEMPLATE = f"git+file://{ROOT}"
# A file, what is replaced in it (at its end, where nothing is), and by what.
EDITS = [
    (
        "docker-compose.yml",
        r"(?m)^services:\n",
        "services:\n  ours:\n    image: redis:8\n    command: redis-server --port 7000\n\n",
    ),
    ("uwsgi.ini", r"\Z", "\n# Ours.\nlog-date = true\n"),
    ("nginx/nginx.conf", r"gzip_comp_level \d", "gzip_comp_level 4"),
    ("config/settings.py", r"\Z", '\nTEAM = "drainage"\n'),
    (
        "config/settings.py",
        r"INSTALLED_APPS = \[\n",
        'INSTALLED_APPS = [\n    "django.contrib.humanize",\n',
    ),
    ("config/urls.py", r"\Z", "\n# Ours: nothing yet.\n"),
    ("README.md", r"\Z", "\n## Whom to call\n\nThe team of drainage.\n"),
    ("Makefile", r"\Z", "\nhello: ## Say hello\n\t@echo hello\n"),
    (".gitignore", r"\Z", "\n/ours\n"),
    (".env.example", r"\Z", "\n# Ours.\nTEAM=drainage\n"),
]


def past() -> list[str]:
    """Return eight commits, evenly from the newest but one to the first, that changed the template."""
    paths = ("cookiecutter.json", "{{cookiecutter.project_slug}}")
    words = ("log", "--first-parent", "--format=%h", "--", *paths)
    commits = succeed("git", *words, cwd=ROOT).split()[1:]
    return [commits[position * (len(commits) - 1) // 7] for position in range(8)]


def status(project: Path, *words: str) -> int:
    """Run drydock in a project; return its status, which says no error."""
    env = {"DRYDOCK_CACHE": str(project.parent / "cache")}
    result = drydock(*words, cwd=project, env=env)
    assert result.returncode in (0, 1), result.stdout
    return result.returncode


def save(project: Path) -> None:
    """Commit everything."""
    succeed("git", "add", "--all", cwd=project)
    succeed("git", *IDENTITY, "commit", "--quiet", "--message", "Save", cwd=project)


def edit(project: Path) -> Iterator[tuple[str, str]]:
    """Make the edits; yield the file and the last line of each."""
    for name, old, new in EDITS:
        text = (project / name).read_text("utf-8")
        changed, times = re.subn(old, new.replace("\\", r"\\"), text, count=1)
        assert times == 1, (name, old)
        (project / name).write_text(changed, "utf-8")
        yield name, new.rstrip().splitlines()[-1]


@pytest.mark.parametrize("commit", past())
def test_a_project_of_the_past_is_brought_up_to_date_and_runs(
    commit: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    config = tmp_path / "cookiecutter.yml"
    config.write_text(f"cookiecutters_dir: {tmp_path}/clones\nreplay_dir: {tmp_path}/replay\n")
    words = ("--no-input", "--config-file", config, TEMPLATE, "--checkout", commit)
    succeed(tool("cookiecutter"), *words, "--output-dir", tmp_path, "project_slug=past", cwd=ROOT)
    project = tmp_path / "past"
    succeed("git", "init", "--quiet", cwd=project)
    save(project)
    if not (project / ".cruft.json").exists():
        assert status(project, "init", TEMPLATE) == 0
    edits = list(edit(project))
    save(project)
    head = succeed("git", "rev-parse", "HEAD", cwd=ROOT).strip()
    status(project, "update", "--to", head)
    unmerged = succeed("git", "diff", "--name-only", "--diff-filter=U", cwd=project).split()
    record_property("conflicts", unmerged)
    # Where both wrote at the end of a text, a person decides. Nothing that runs is among them.
    assert {*unmerged} <= {".gitignore", "Makefile", "README.md"}
    for name, line in edits:
        assert line in (project / name).read_text("utf-8"), name
    complete_env(project / ".env", project / ".env.example")
    stack = Stack(folder=project)
    try:
        stack.up()
        assert stack.status("/") == stack.ready() == 200
    finally:
        stack.down()
