"""The test job of a generated project's CI: each command as the workflow has it.

The job leaves a production stack with data behind: a browser looks at its pages through nginx.
"""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.stack.conftest import Browser, Stack, commit
from tests.support.catalogue import ROOT
from tests.support.choices import label
from tests.support.commands import BROWSERS, program, run, succeed, tool
from tests.support.projects import MIGRATIONS, ci_steps

pytestmark = pytest.mark.stack


ANSWERS = [
    {},
    {
        "database": "postgresql",
        "cache": "memcached",
        "app_server": "gunicorn",
        "task_queue": "celery",
        "package_manager": "pipenv",
        "django_version": "6.1",
    },
    {
        "database": "sqlite",
        "cache": "locmem",
        "package_manager": "pip",
        "code_style": "black",
        "sample_app": "false",
    },
]
# Pages of the sample application -> what is on them once they are complete.
PAGES = {
    "/": "h1",
    "/districts/": "td a",
    "/districts/01/": ".newest strong",
    "/api/v1/docs/": ".opblock",
    "/admin/": "#site-name",
    "/admin/drainage/reading/": "#result_list td",
}
PICTURES = ROOT / "reports"


@pytest.mark.parametrize("answers", ANSWERS, ids=lambda answers: label(answers) or "defaults")
def test_the_test_job_passes_as_written(
    answers: dict[str, str], make_stack: Callable[..., Stack], tmp_path: Path, browser: Browser
) -> None:
    stack = make_stack(f"ci_{answers.get('database', 'default')}", **answers)
    (stack.folder / ".env").unlink()
    # What is checked out there is a commit.
    succeed("git", "init", "--quiet", cwd=stack.folder)
    commit(stack, "README.md", str)
    commit(stack, "README.md", lambda text: f"{text}\nMore.\n")
    chromium = program(*BROWSERS)
    (tmp_path / "google-chrome").write_text(f'#!/bin/sh\nexec {chromium} --no-sandbox "$@"\n')
    (tmp_path / "google-chrome").chmod(0o755)
    summary = tmp_path / "summary.md"
    env = {
        "BROKER_PORT": "0",
        "CACHE_PORT": "0",
        "DATABASE_PORT": "0",
        "GITHUB_STEP_SUMMARY": str(summary),
        "HTTP_PORT": str(stack.port),
        "PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:{Path(tool('pipx')).parent}",
        "PIPX_HOME": str(tmp_path / "pipx"),
    }
    for step in ci_steps(stack.folder, "test"):
        words = ["bash", "-eo", "pipefail", "-c", step["run"]]
        if step["run"].startswith("make migrations"):
            check_migrations(stack, words, env, answers.get("database", ""))
        succeed(*words, cwd=stack.folder, env=env | step["env"])
    reports = stack.folder / "reports"
    suite = ElementTree.parse(reports / "tests.xml").getroot()[0]  # noqa: S314 -- pytest wrote it
    assert int(suite.attrib["tests"]) > 10
    assert suite.attrib["failures"] == suite.attrib["errors"] == "0"
    # A fresh project has no lock yet, and says so.
    skipped = [reason.attrib["message"] for reason in suite.iter("skipped")]
    assert all("lock is not there yet" in reason for reason in skipped), skipped
    assert "TOTAL" in summary.read_text()
    assert (reports / "home.png").read_bytes().startswith(b"\x89PNG")
    if answers.get("sample_app") != "false":
        look(browser, stack)


def check_migrations(stack: Stack, words: list[str], env: dict[str, str], database: str) -> None:
    """Run the step that checks new migrations for each kind of them, with the database's own statements."""
    bad = {"0002_drop", *(["0002_required"] if database != "sqlite" else [])}
    for name, text in MIGRATIONS.items():
        file = stack.folder / stack.folder.name / f"accounts/migrations/{name}.py"
        file.write_text(text)
        succeed("git", "add", file, cwd=stack.folder)
        result = run(*words, cwd=stack.folder, env=env)
        assert f"(accounts, {name})... {'ERR' if name in bad else 'OK'}" in result.stdout
        assert bool(result.returncode) == (name in bad)
        succeed("git", "rm", "--force", "--quiet", file, cwd=stack.folder)


def look(browser: Browser, stack: Stack) -> None:
    """Look at the pages of the sample application, as a visitor and as the administrator."""
    stack.add_administrator()
    browser.log_in(stack)
    PICTURES.mkdir(exist_ok=True)
    for path, sign in PAGES.items():
        browser.open(stack, path, sign)
        rules = "return [...document.styleSheets].map(sheet => sheet.cssRules.length)"
        sizes = browser.driver.execute_script(rules)
        assert sizes, path
        assert all(sizes), path
        name = path.strip("/").replace("/", "-") or "home"
        browser.driver.save_screenshot(str(PICTURES / f"{stack.folder.name}-{name}.png"))
