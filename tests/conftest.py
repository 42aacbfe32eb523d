"""What the tests share: the answers, projects generated from them, and an environment to run them in."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
CHOICES: dict[str, list[str]] = {
    name: values
    for name, values in CATALOGUE.items()
    if isinstance(values, list) and not name.startswith("_")
}
# Every combination of the choices: a new choice joins by itself.
COMBINATIONS: list[dict[str, str]] = [
    dict(zip(CHOICES, values, strict=True)) for values in itertools.product(*CHOICES.values())
]

Bake = Callable[..., Path]


def label(answers: dict[str, str]) -> str:
    """Name a combination in a test's id: the answers that have an alternative."""
    return "-".join(value for name, value in answers.items() if len(CHOICES.get(name, ())) > 1)


@pytest.fixture(scope="session")
def bake(cookies_session: Cookies) -> Bake:
    """Return a function that generates a project from answers, once, and gives its folder.

    The folder is shared: a test that writes into it bakes with an answer of its own.
    """
    baked: dict[str, Path] = {}

    def generate(**answers: str) -> Path:
        key = json.dumps(answers, sort_keys=True)
        if key not in baked:
            result = cookies_session.bake(extra_context=answers, template=str(ROOT))
            assert result.exception is None, result.exception
            assert result.project_path is not None
            baked[key] = result.project_path
        return baked[key]

    return generate


@pytest.fixture(params=COMBINATIONS, ids=label)
def project(request: pytest.FixtureRequest, bake: Bake) -> Path:
    """Return the folder of a project, for every combination of the choices."""
    return bake(**request.param)


def tool(name: str) -> str:
    """Return the path of a tool that is installed beside this Python."""
    return str(Path(sys.executable).parent / name)


def run(
    *command: str | Path, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, its output kept as text; `env` is added to the environment."""
    environment = {**os.environ, **(env or {})}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def succeed(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a command that must end with status 0; return what it printed."""
    result = run(*command, cwd=cwd, env=env)
    assert result.returncode == 0, f"{' '.join(map(str, command))}:\n{result.stdout}"
    return result.stdout


@pytest.fixture(scope="session")
def environment_python(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the Python of an environment that has what a developer's machine installs."""
    source = bake()
    environment = tmp_path_factory.mktemp("environment") / "venv"
    succeed(tool("uv"), "venv", "--quiet", "--python", sys.executable, environment, cwd=source)
    requirements = ["--requirement", "requirements-dev.txt"]
    succeed(
        tool("uv"),
        *("pip", "install", "--quiet", "--require-hashes", "--python", environment),
        *requirements,
        cwd=source,
    )
    yield environment / "bin" / "python"
    shutil.rmtree(environment)
