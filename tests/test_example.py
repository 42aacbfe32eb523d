"""The branch `example` has the default project, and gets a commit only when that changes."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.catalogue import ROOT
from tests.support.commands import succeed
from tests.support.templates import Template, copied, git

pytestmark = pytest.mark.slow


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Template:
    """Return a copy of this template, and let cookiecutter write nothing into the user's folders."""
    config = tmp_path / "cookiecutter.yml"
    config.write_text(f"cookiecutters_dir: {tmp_path / 'templates'}\nreplay_dir: {tmp_path}\n")
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(config))
    return copied(tmp_path / "template.git")


def push(template: Template) -> str:
    """Run the script on a template's repository; return its last line."""
    script = ROOT / "tools" / "example.py"
    url = f"file://{template.folder}"
    return succeed(sys.executable, script, url, cwd=template.folder.parent).splitlines()[-1]


def commits(template: Template) -> list[str]:
    """Return the messages of the branch, the newest first."""
    return git(template.folder, "log", "--format=%s", "example").splitlines()


def test_the_branch_has_the_default_project(template: Template) -> None:
    first = template.head()
    assert push(template) == f"Pushed to example: The default project of {first}"
    names = git(template.folder, "ls-tree", "-r", "--name-only", "example").splitlines()
    assert {"manage.py", "uwsgi.ini", "config/settings.py", ".env.example"} <= {*names}
    assert ".env" not in names
    assert not [name for name in names if name.startswith(".github/workflows/")]
    record = json.loads(git(template.folder, "show", "example:.cruft.json"))
    assert (record["commit"], record["checkout"]) == (first, None)


def test_a_commit_comes_only_with_a_change(template: Template) -> None:
    first = template.head()
    push(template)
    template.commit({"docs/note.md": "Not generated.\n"})
    assert push(template) == "example is as it was."
    assert commits(template) == [f"The default project of {first}"]
    top = "{{cookiecutter.project_slug}}"
    template.commit({f"{top}/manage.py": None, f"{top}/NEW.md": "New.\n"})
    push(template)
    assert commits(template) == [
        f"The default project of {template.head()}",
        f"The default project of {first}",
    ]
    changed = git(template.folder, "diff", "--name-status", "example~1", "example").splitlines()
    assert changed == ["M\t.cruft.json", "A\tNEW.md", "D\tmanage.py"]
