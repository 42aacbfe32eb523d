"""The pins fit the catalogue, and every choice gets a complete, installable part of them."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.utils import create_env_with_context
from jinja2 import Environment, FileSystemLoader
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import lock

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
DJANGO = next(iter(CATALOGUE["_django_versions"]))

RUNTIME = list(
    itertools.product(
        CATALOGUE["_django_versions"],
        CATALOGUE["_databases"],
        CATALOGUE["_caches"],
        CATALOGUE["_app_servers"],
    )
)
DEVELOPMENT = list(
    itertools.product(
        CATALOGUE["_django_versions"], CATALOGUE["_package_managers"], CATALOGUE["_code_styles"]
    )
)


@pytest.fixture(scope="module")
def env() -> Environment:
    """Return an environment like cookiecutter's own."""
    env: Environment = create_env_with_context({"cookiecutter": CATALOGUE})
    env.loader = FileSystemLoader([ROOT, ROOT / "templates"])
    return env


def render(env: Environment, name: str, **answers: str) -> str:
    """Return a file of the generated project; questions without an answer get their first choice."""
    defaults = {
        key: value[0] for key, value in CATALOGUE.items() if isinstance(value, list) and value
    }
    template = env.get_template("{{cookiecutter.project_slug}}/" + name)
    return template.render(cookiecutter={**CATALOGUE, **defaults, **answers})


def pins(text: str) -> list[str]:
    """Return each requirement with its hashes."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines))


def names(text: str) -> list[str]:
    """Return the name of each pin, in order."""
    return [pin.split("==")[0] for pin in pins(text)]


def assert_complete(text: str, django_version: str, packages: list[str]) -> None:
    """Fail unless requirements are well-formed, and the same as in every other combination."""
    tested = ROOT / "templates" / "pins" / f"{django_version}.txt"
    assert set(pins(text)) <= set(pins(tested.read_text("utf-8")))
    assert all(re.search(r" --hash=sha256:[0-9a-f]{64}$", pin) for pin in pins(text))
    assert {canonicalize_name(Requirement(package).name) for package in packages} <= set(
        names(text)
    )
    assert names(text) == sorted(names(text))
    assert len(pins(text)) == len(set(pins(text)))
    assert "://" not in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize(("django_version", "database", "cache", "app_server"), RUNTIME)
def test_runtime_requirements_of_every_combination(
    env: Environment, django_version: str, database: str, cache: str, app_server: str
) -> None:
    text = render(
        env,
        "requirements.txt",
        django_version=django_version,
        database=database,
        cache=cache,
        app_server=app_server,
    )
    packages = [
        *CATALOGUE["_packages"]["base"],
        *CATALOGUE["_django_versions"][django_version]["packages"],
        *CATALOGUE["_databases"][database]["packages"],
        *CATALOGUE["_caches"][cache]["packages"],
        *CATALOGUE["_app_servers"][app_server]["packages"],
    ]
    assert_complete(text, django_version, packages)
    assert "pytest" not in names(text)


@pytest.mark.parametrize(("django_version", "package_manager", "code_style"), DEVELOPMENT)
def test_development_requirements_of_every_combination(
    env: Environment, django_version: str, package_manager: str, code_style: str
) -> None:
    text = render(
        env,
        "requirements-dev.txt",
        django_version=django_version,
        package_manager=package_manager,
        code_style=code_style,
    )
    packages = [
        *CATALOGUE["_packages"]["base"],
        *CATALOGUE["_packages"]["dev"],
        *CATALOGUE["_django_versions"][django_version]["packages"],
        *CATALOGUE["_package_managers"][package_manager]["packages"],
        *CATALOGUE["_code_styles"][code_style]["packages"],
    ]
    assert_complete(text, django_version, packages)
    assert "mysqlclient" not in names(text)


@pytest.mark.parametrize(
    ("package", "closure"),
    [
        ("psycopg[binary]", ["psycopg", "psycopg-binary", "typing-extensions", "tzdata"]),
        ("pymemcache", ["pymemcache"]),
        ("django-csp", ["asgiref", "django", "django-csp", "packaging", "sqlparse", "tzdata"]),
    ],
)
def test_package_brings_what_it_needs(env: Environment, package: str, closure: list[str]) -> None:
    macro = env.get_template("pins.jinja").make_module().pins  # type: ignore[attr-defined]
    assert names(macro(DJANGO, [package])) == closure


def check(root: Path) -> tuple[int, str]:
    """Return exit status and message of `lock.py --check`."""
    command = [sys.executable, str(root / "tools" / "lock.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of what lock.py works on."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "lock.py", tmp_path / "tools")
    shutil.copy(ROOT / "cookiecutter.json", tmp_path)
    shutil.copytree(ROOT / "templates" / "pins", tmp_path / "templates" / "pins")
    return tmp_path


def edit(path: Path, pattern: str, replacement: str) -> None:
    """Replace the one match of a pattern."""
    text, count = re.subn(pattern, replacement, path.read_text("utf-8"), flags=re.DOTALL)
    assert count == 1
    path.write_text(text, "utf-8")


def test_check_accepts_the_pins() -> None:
    assert check(ROOT) == (0, "The pins fit the catalogue.\n")


@pytest.mark.parametrize(
    ("pattern", "replacement", "message"),
    [
        (r"\n# needed by whitenoise\nwhitenoise==.*?(?=\n\n|\n?\Z)", "", "whitenoise has no pin"),
        (r"(?=# needed by whitenoise)", "blackwater==1.0\n\n", "needs the pin of blackwater"),
        (r"\ndjango==\S+", "\ndjango==4.2.1", "django~=.* is asked for, 4.2.1 is pinned"),
        (r"(\nwhitenoise==\S+)[^#]*?(?=\n\n|\n?\Z)", r"\1", "not one requirement with its hashes"),
        (r"\n\n(?=\S+ needed by whitenoise)", "\n", "not one requirement with its hashes"),
        (r"(?=\basgiref==)", "--index-url https://example.com ", "a URL, or a brace"),
    ],
    ids=["missing", "stale", "unsatisfied", "unhashed", "run together", "URL"],
)
def test_check_refuses_wrong_pins(copy: Path, pattern: str, replacement: str, message: str) -> None:
    edit(copy / "templates" / "pins" / f"{DJANGO}.txt", pattern, replacement)
    status, output = check(copy)
    assert status == 1
    assert re.search(message, output)
    assert output.endswith("Renew them: python tools/lock.py\n")


def test_check_refuses_pins_older_than_the_catalogue(copy: Path) -> None:
    edit(copy / "cookiecutter.json", '"whitenoise"', '"blacknoise"')
    status, output = check(copy)
    assert status == 1
    assert f"{DJANGO}: blacknoise has no pin" in output
    assert f"{DJANGO}: whitenoise left the catalogue" in output


def test_check_refuses_a_package_whose_name_a_project_could_have(copy: Path) -> None:
    edit(copy / "cookiecutter.json", r"(?<= )whitenoise (?=\w)", "")
    status, output = check(copy)
    assert status == 1
    assert f"{DJANGO}: a project could have the name of the package whitenoise" in output


def test_only_the_two_lists_are_written(copy: Path) -> None:
    path = copy / "cookiecutter.json"
    before = json.loads(path.read_text("utf-8"))
    lock.write_reserved(path, ["one", "two"], ["ko"])
    after = json.loads(path.read_text("utf-8"))
    assert after["_taken_names"].pop(lock.TAKEN) == "one two"
    assert after.pop("_languages") == "ko"
    del before["_taken_names"][lock.TAKEN], before["_languages"]
    assert before == after


def test_check_refuses_pins_of_a_dropped_django_version(copy: Path) -> None:
    (copy / "templates" / "pins" / "1.11.txt").touch()
    assert check(copy)[0] == 1
    assert "1.11: not a Django version of the catalogue" in check(copy)[1]


@pytest.mark.network
def test_requirements_install_with_their_hashes(env: Environment, tmp_path: Path) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        pytest.skip("uv is not installed next to this Python")
    text = render(
        env,
        "requirements.txt",
        django_version=DJANGO,
        database="postgresql",
        cache="memcached",
        app_server="uwsgi",
    )
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(text, "utf-8")
    # A dry run would accept any hash: uv compares them when it downloads.
    install = [uv, "pip", "install", "--require-hashes", "--python", sys.executable]
    run = subprocess.run(
        [*install, "--target", str(tmp_path / "site"), "-r", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
