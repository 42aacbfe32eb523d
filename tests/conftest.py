"""Fixtures and hooks of all tests: projects generated from answers, and environments to run them in."""

import functools
import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Generator, Hashable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import hypothesis
import jinja2
import pytest
from filelock import FileLock
from pytest_cookies.plugin import Cookies
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.support.catalogue import CATALOGUE, CHOICES, COMBINATIONS, ROOT
from tests.support.choices import everything, label, pairs
from tests.support.commands import run, succeed, tool
from tests.support.projects import Bake, Environment
from tests.support.stacks import stop_all

# Projects ask for the Python of their image, which this machine need not have.
os.environ.setdefault("UV_PYTHON", sys.executable)
os.environ.setdefault(
    "PYENV_VERSION", platform.python_version() if "pyenv" in sys.base_prefix else "system"
)

# How long an example takes depends on what else the machine does. The gate tries the same examples every time;
# `--hypothesis-profile=search` looks for new ones.
hypothesis.settings.register_profile("gate", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, max_examples=500)
hypothesis.settings.load_profile("gate")


def pytest_report_header() -> str:
    """Say how many pairs of choices the run covers."""
    all_pairs = set().union(*map(pairs, everything(CATALOGUE)))
    exercised = set().union(*map(pairs, COMBINATIONS))
    return (
        f"choices: {len(exercised)} of {len(all_pairs)} pairs are exercised, "
        f"by {len(COMBINATIONS)} combinations"
    )


# Their tests take one stack after the other.
BY_STACK = ("/test_backup.py", "/test_restarts.py")


def group(nodeid: str) -> str:
    """Return the group of a test: those of a file, or of a stack, share containers.

    Long tests with containers of their own are each a group.
    """
    path, _, name = nodeid.partition("::")
    if path.endswith(("/test_ci.py", "/test_python.py")):
        return nodeid
    stack = re.search(r"\[([a-z0-9]+(?:-[a-z0-9]+){2})", name)
    if stack and "/endurance/" in path:
        return stack[1]
    return f"{path}-{stack[1]}" if stack and path.endswith(BY_STACK) else path


class ByContainers(LoadScopeScheduling):  # type: ignore[misc]
    """Give the tests of a group to the same worker."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Replace the scheduler of --dist loadfile."""
    return ByContainers(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """Stop the containers of a group after it: their health checks would slow all later ones."""
    yield
    if nextitem and group(item.nodeid) != group(nextitem.nodeid):
        stop_all(item.config)


@pytest.fixture(scope="session", autouse=True)
def compile_once() -> Iterator[None]:
    """Compile each Jinja template once per process: the tests render the same ones hundreds of times."""
    compiled: dict[Hashable, CodeType] = {}
    original: Any = jinja2.Environment.compile

    def compile_(self: jinja2.Environment, source: str, *words: Hashable) -> CodeType:
        # The lexer is the same object for environments with the same options.
        key = (type(self), self.lexer, *self.extensions, self.optimized, source, words)
        if key not in compiled:
            compiled[key] = original(self, source, *words)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_)
        yield


@pytest.fixture(scope="session", autouse=True)
def git_settings() -> Iterator[None]:
    """Give git an author, and no sample hooks in new repositories or maintenance after a commit: both take time.

    Messages are in English, whatever language the developer's are in.
    """
    settings = {
        "LC_ALL": "C.UTF-8",
        "GIT_AUTHOR_NAME": "Tests",
        "GIT_AUTHOR_EMAIL": "tests@example.com",
        "GIT_COMMITTER_NAME": "Tests",
        "GIT_COMMITTER_EMAIL": "tests@example.com",
        "GIT_TEMPLATE_DIR": "",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "init.defaultBranch",
        "GIT_CONFIG_VALUE_0": "main",
        "GIT_CONFIG_KEY_1": "maintenance.auto",
        "GIT_CONFIG_VALUE_1": "false",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the programs that tests start compile each module once, and write that into no folder of a project.

    Nor what Hypothesis keeps, in any run of pytest where it is installed.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPYCACHEPREFIX", str(folder / "bytecode"))
        patch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(folder / "hypothesis"))
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(scope="session")
def bake(cookies_session: Cookies, tmp_path_factory: pytest.TempPathFactory) -> Bake:
    """Return a function that generates a project from answers, once, and returns its folder.

    The folder is shared, also by pytest's workers: a test that writes into it must use answers that no other test
    uses, or a copy.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "baked"
    shared.mkdir(exist_ok=True)

    @functools.cache
    def once(key: str) -> Path:
        folder = shared / hashlib.sha256(key.encode()).hexdigest()
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                result = cookies_session.bake(extra_context=json.loads(key), template=str(ROOT))
                assert result.exception is None, result.exception
                assert result.project_path is not None
                folder.mkdir()
                result.project_path.rename(folder / result.project_path.name)
        (project,) = folder.iterdir()
        return project

    return lambda **answers: once(json.dumps(answers, sort_keys=True))


@pytest.fixture(params=COMBINATIONS, ids=label)
def project(request: pytest.FixtureRequest, bake: Bake) -> Path:
    """Return the project of each combination of choices, one after the other."""
    return bake(**request.param)


@pytest.fixture(scope="session")
def environment(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """Return a function that returns the folder with the programs of a Django version's environment.

    The environment has the development requirements of all other choices, whose pins are the same. Its Python is
    PROJECT_PYTHON, or else one that the projects support; without one, the tests are skipped.
    """
    made: dict[str, Path] = {}

    def install(django_version: str, folder: Path) -> None:
        words: list[str | Path] = ["--require-hashes", "--python", folder]
        # Every choice occurs in some combination with each Django version.
        for answers in COMBINATIONS:
            if answers["django_version"] == django_version:
                words += ["--requirement", bake(**answers) / "requirements-dev.txt"]
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
            # The tests of the stacks run its tests and linters anyway, in the images.
            pytest.skip(f"no Python for Django {django_version} is installed, or can be downloaded")
        return made[django_version] / "bin"

    yield make
    for folder in made.values():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def environment_python(environment: Environment) -> Path:
    """Return the Python of an environment for the default answers."""
    return environment(CHOICES["django_version"][0]) / "python"
