"""What is installed matches what is declared and uv.lock; `make lock` brings them in line."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "uv.lock"


def declared(group: str) -> list[str]:
    """Return the requirements of pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return [*settings["project"]["dependencies"], *settings["dependency-groups"][group]]


def locked() -> dict[str, set[str]]:
    """Return the versions of each package in uv.lock."""
    found: dict[str, set[str]] = {}
    for package in tomllib.loads(LOCK.read_text("utf-8"))["package"]:
        found.setdefault(package["name"], set()).add(package.get("version", ""))
    return found


{% include "requirements.py" %}


@pytest.mark.skipif(not LOCK.exists(), reason=f"{LOCK.name} is not there yet")
@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_the_versions_are_those_of_the_lock(file: str) -> None:
    lock = locked()
    other = {name: found for name, found in versions(file).items() if found - lock.get(name, set())}
    assert other == {}, f"{file} does not fit {LOCK.name}: make lock"
