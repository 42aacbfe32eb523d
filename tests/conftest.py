"""What the tests share: the answers, projects generated from them, and environments to run them in."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.choices import choices, combinations, everything, label, pairs

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))


CHOICES = choices(CATALOGUE)
# Every pair of choices is in one of them, at least: a new choice joins by itself.
COMBINATIONS = combinations(CATALOGUE)

Bake = Callable[..., Path]
Environment = Callable[[str], Path]


def pytest_report_header() -> str:
    """Say how much of the choices the run exercises."""
    all_pairs = set().union(*map(pairs, everything(CATALOGUE)))
    exercised = set().union(*map(pairs, COMBINATIONS))
    return (
        f"choices: {len(exercised)} of {len(all_pairs)} pairs are exercised, "
        f"by {len(COMBINATIONS)} combinations"
    )


class ByContainers(LoadScopeScheduling):  # type: ignore[misc]
    """Give tests that share containers to one worker: those of a file, or of a stack in tests/endurance.

    The long tests that have containers of their own go to whichever worker is free.
    """

    def _split_scope(self, nodeid: str) -> str:
        path, _, name = nodeid.partition("::")
        if path.endswith(("/test_ci.py", "/test_python.py")):
            return nodeid
        stack = re.search(r"\[([a-z0-9]+(?:-[a-z0-9]+){2})", name)
        return stack[1] if stack and "/endurance/" in path else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Take the place of --dist loadfile."""
    return ByContainers(config, log) if config.getvalue("dist") == "loadfile" else None


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


BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def program(*names: str) -> str:
    """Return the path of the first of some programs that is installed.

    Where there is none, the test is skipped; it fails where nothing may be skipped.
    """
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        reason = f"pages are looked at in a browser: apt-get install {names[0]}"
        (pytest.fail if os.environ.get("DRYDOCK_REQUIRE_DOCKER") else pytest.skip)(reason)
    return found


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


def env_values(path: Path) -> dict[str, str]:
    """Return the assignments of an env file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def lint_commands(project: Path) -> list[str]:
    """Return what `make lint` runs, by the project's own Makefile, without the package manager."""
    makefile = (project / "Makefile").read_text()
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe
    managers = "|".join(manager["run"] for manager in CATALOGUE["_package_managers"].values())
    commands = [re.sub(managers, "", line.strip(), count=1) for line in recipe[1].splitlines()]
    assert len(commands) >= 4
    return commands


def ci_steps(project: Path, job: str) -> list[dict[str, Any]]:
    """Return the steps of a job of the project's CI that run when all is well, without actions.

    The `env` of each has the variables of its job, too.
    """
    workflow = yaml.safe_load((project / ".github/workflows/ci.yml").read_text())
    entry = workflow["jobs"][job]
    return [
        {**step, "env": {**entry.get("env", {}), **step.get("env", {})}}
        for step in entry["steps"]
        if "run" in step and step.get("if") != "failure()"
    ]


@pytest.fixture(scope="session")
def environment(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """Return a function that gives the folder of programs of a Django version's environment.

    It has what a developer's machine installs, whichever other choices are made: their pins are
    the same. PROJECT_PYTHON names its Python; otherwise it is one that the projects support. The
    tests are skipped where there is none.
    """
    made: dict[str, Path] = {}

    def install(django_version: str, folder: Path) -> None:
        words: list[str | Path] = ["--require-hashes", "--python", folder]
        for answers in COMBINATIONS:
            project = bake(**{**answers, "django_version": django_version})
            words += ["--requirement", project / "requirements-dev.txt"]
        succeed(tool("uv"), "pip", "install", "--quiet", *words, cwd=ROOT)

    def make(django_version: str) -> Path:
        if django_version not in made:
            folder = tmp_path_factory.mktemp("environment") / "venv"
            supported = CATALOGUE["_django_versions"][django_version]["requires_python"]
            python = os.environ.get("PROJECT_PYTHON", supported)
            created = run(tool("uv"), "venv", "--quiet", "--python", python, folder, cwd=ROOT)
            made[django_version] = folder
            if not created.returncode:
                install(django_version, folder)
        if not made[django_version].exists():
            # The stacks run its tests and linters all the same, in their images.
            pytest.skip(f"no Python for Django {django_version} is installed, or can be downloaded")
        return made[django_version] / "bin"

    yield make
    for folder in made.values():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def environment_python(environment: Environment) -> Path:
    """Return the Python of an environment for the default answers."""
    return environment(CHOICES["django_version"][0]) / "python"
