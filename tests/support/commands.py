"""Run the programs that the tests need."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.catalogue import ROOT


def tool(name: str) -> str:
    """Return the path of a tool that is installed beside this Python."""
    return str(Path(sys.executable).parent / name)


def program(*names: str) -> str:
    """Return the path of the first of these programs that is installed.

    Without any of them the test is skipped, or fails where nothing may be skipped.
    """
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        reason = f"{names[0]} is not installed: CONTRIBUTING.md has the list"
        (pytest.fail if os.environ.get("DRYDOCK_REQUIRE_DOCKER") else pytest.skip)(reason)
    return found


def run(
    *command: str | Path, cwd: Path, env: dict[str, str] | None = None, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder and capture its output as text.

    `env` is added to the environment; `text` is the standard input, if not this process's own.
    """
    environment = {**os.environ, **(env or {})}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        input=text,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def succeed(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command that must succeed; return what it printed."""
    result = run(*command, cwd=cwd, env=env)
    assert result.returncode == 0, f"{' '.join(map(str, command))}:\n{result.stdout}"
    return result.stdout


def drydock(
    *words: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run this repository's drydock in a project's folder, as `run` does."""
    environment = {"PYTHONPATH": str(ROOT), **(env or {})}
    return run(tool("python"), "-m", "drydock", *words, cwd=cwd, env=environment)
