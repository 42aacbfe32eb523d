"""The test job of a generated project's CI: each command as the workflow has it.

The job leaves a production stack with data behind: a browser looks at its pages through nginx.
"""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.stack.conftest import Browser, Stack, commit
from tests.support.catalogue import ROOT
from tests.support.choices import label
from tests.support.commands import program, run, succeed, tool
from tests.support.projects import MIGRATIONS, ci_steps
from tools.browser import BROWSERS

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
# Pages -> what is on them once they are complete.
SEEN_BY_VISITORS = {
    "/": "h1",
    "/districts/": "td a",
    "/districts/?q=nowhere": "h1",
    "/districts/01/": ".newest strong",
    "/nowhere/": "h1",
    "/accounts/login/": "[name=password]",
}
SEEN_BY_ADMINISTRATORS = {
    "/api/v1/docs/": ".opblock",
    "/admin/": "#site-name",
    "/admin/drainage/reading/": "#result_list td",
}
# Language, light or dark, width in pixels: all pairs of them.
LOOKS = [
    ("en", "dark", 1280),
    ("ko-kr", "light", 1280),
    ("en", "light", 390),
    ("ko-kr", "dark", 390),
]
# Of its packages for Python, this is the one with a current axe-core: 4.12.
AXE = "axe-playwright-python==0.1.8"
VIOLATIONS = """
const done = arguments[0];
axe.run().then(found => done(found.violations.map(
    rule => [rule.id, ...rule.nodes.map(node => node.target.join(" "))]
)));
"""
# What the page loaded, and itself -> bytes on the wire.
LOADED = """
const entries = ["navigation", "resource"].flatMap(type => performance.getEntriesByType(type));
return Object.fromEntries(entries.map(entry => [entry.name, entry.transferSize]));
"""
WIDTH = "return document.documentElement.scrollWidth"
LANGUAGE = "return document.documentElement.lang.split('-')[0]"
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
        axe = tmp_path / "axe"
        succeed(
            tool("uv"), "pip", "install", "--quiet", "--no-deps", "--target", axe, AXE, cwd=tmp_path
        )
        script = (axe / "axe_playwright_python/axe.min.js").read_text()
        stack.add_administrator()
        for look in LOOKS[:2] if answers else LOOKS[2:]:
            look_as_a_visitor(browser, stack, script, *look)
        look_as_the_administrator(browser, stack)


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


def look_as_a_visitor(
    browser: Browser, stack: Stack, axe: str, language: str, scheme: str, width: int
) -> None:
    """Look at the pages of the sample application: everybody can use them, and they are small and from here."""
    browser.show(language, scheme, width, stack)
    for path, sign in SEEN_BY_VISITORS.items():
        if path == "/nowhere/":
            browser.visit(stack, path, sign)  # The console says that it is not there.
        else:
            browser.open(stack, path, sign)
        loaded = browser.driver.execute_script(LOADED)
        assert all(name.startswith(f"http://localhost:{stack.port}/") for name in loaded), path
        assert browser.driver.execute_script(LANGUAGE) == language.partition("-")[0], path
        assert browser.driver.execute_script(WIDTH) <= width, path
        assert sum(loaded.values()) < 60_000, (path, loaded)
        browser.driver.execute_script(axe)
        assert browser.driver.execute_async_script(VIOLATIONS) == [], path
        picture(browser, stack, path, f"{language}-{scheme}-{width}")


def look_as_the_administrator(browser: Browser, stack: Stack) -> None:
    """Look at the pages that others made."""
    browser.show("en", "light", 1280, stack)
    browser.log_in(stack)
    for path, sign in SEEN_BY_ADMINISTRATORS.items():
        browser.open(stack, path, sign)
        rules = "return [...document.styleSheets].map(sheet => sheet.cssRules.length)"
        sizes = browser.driver.execute_script(rules)
        assert sizes, path
        assert all(sizes), path
        picture(browser, stack, path, "admin")


def picture(browser: Browser, stack: Stack, path: str, kind: str) -> None:
    """Keep a picture of the page."""
    PICTURES.mkdir(exist_ok=True)
    name = "-".join(re.findall(r"\w+", path)) or "home"
    browser.driver.save_screenshot(str(PICTURES / f"{stack.folder.name}-{name}-{kind}.png"))
