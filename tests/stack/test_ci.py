"""The test job of a generated project's CI, each command as it is written in the workflow."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import ci_steps, label, succeed
from tests.stack.conftest import Stack

pytestmark = pytest.mark.stack


ANSWERS = [
    {},
    {
        "database": "postgresql",
        "cache": "memcached",
        "app_server": "gunicorn",
        "package_manager": "pipenv",
        "django_version": "6.1",
    },
    {"database": "sqlite", "cache": "locmem", "package_manager": "pip", "code_style": "black"},
]


@pytest.mark.parametrize("answers", ANSWERS, ids=label)
def test_the_test_job_passes_as_written(
    answers: dict[str, str], make_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        reason = "a page is looked at in a browser: apt-get install chromium"
        (pytest.fail if os.environ.get("DRYDOCK_REQUIRE_DOCKER") else pytest.skip)(reason)
    stack = make_stack(f"stack_ci_{len(answers)}", **answers)
    (stack.folder / ".env").unlink()
    (tmp_path / "google-chrome").write_text(f'#!/bin/sh\nexec {chromium} --no-sandbox "$@"\n')
    (tmp_path / "google-chrome").chmod(0o755)
    summary = tmp_path / "summary.md"
    env = {
        "CACHE_PORT": "0",
        "DATABASE_PORT": "0",
        "GITHUB_STEP_SUMMARY": str(summary),
        "HTTP_PORT": str(stack.port),
        "PATH": f"{tmp_path}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    }
    for step in ci_steps(stack.folder, "test"):
        succeed("bash", "-eo", "pipefail", "-c", step["run"], cwd=stack.folder, env=env)
    reports = stack.folder / "reports"
    suite = ElementTree.parse(reports / "tests.xml").getroot()[0]  # noqa: S314 -- pytest wrote it
    assert int(suite.attrib["tests"]) > 10
    assert suite.attrib["failures"] == suite.attrib["errors"] == suite.attrib["skipped"] == "0"
    assert "TOTAL" in summary.read_text()
    assert (reports / "home.png").read_bytes().startswith(b"\x89PNG")
