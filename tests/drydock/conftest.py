"""Fixtures of drydock's tests: templates, projects generated from them, and the command."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from drydock.cli import main
from tests.support.templates import FILES, QUESTIONS, Drydock, MakeTemplate, Template, git


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the cache, which is new for each test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("DRYDOCK_CACHE", str(folder))
    return folder


@pytest.fixture
def make_template(tmp_path: Path) -> MakeTemplate:
    """Return a function that makes a template with one commit."""

    def make(
        files: Mapping[str, str | bytes | None] = FILES,
        questions: Mapping[str, Any] = QUESTIONS,
        name: str = "template",
    ) -> Template:
        folder = tmp_path / name
        folder.mkdir()
        git(folder, "init", "--quiet")
        template = Template(folder)
        template.commit({"cookiecutter.json": json.dumps(questions), **files}, "First")
        return template

    return make


@pytest.fixture
def template(make_template: MakeTemplate) -> Template:
    """Return a template with a few files."""
    return make_template()


@pytest.fixture
def project(template: Template, tmp_path: Path) -> Path:
    """Return a freshly generated project."""
    return template.generate(tmp_path / "projects")


@pytest.fixture
def drydock() -> Drydock:
    """Return a function that runs the command in a project's folder."""

    def run(command: str, folder: Path, *words: str) -> Result:
        return CliRunner().invoke(main, [command, "--project", str(folder), *words])

    return run
