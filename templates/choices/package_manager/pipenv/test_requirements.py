"""What is installed matches what is declared and Pipfile.lock; `make lock` brings them in line."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "Pipfile.lock"


def declared(group: str) -> list[str]:
    """Return the requirements of Pipfile."""
    pipfile = tomllib.loads((ROOT / "Pipfile").read_text("utf-8"))
    packages = pipfile["packages"] | pipfile["dev-packages" if group == "dev" else group]
    wanted = {
        name: entry if isinstance(entry, str) else entry.get("version", "*")
        for name, entry in packages.items()
    }
    return [f"{name}{version}".removesuffix("*") for name, version in wanted.items()]


def locked() -> dict[str, set[str]]:
    """Return the versions of each package in Pipfile.lock."""
    found: dict[str, set[str]] = {}
    categories = json.loads(LOCK.read_text("utf-8"))
    del categories["_meta"]
    for packages in categories.values():
        for name, package in packages.items():
            found.setdefault(name, set()).add(package.get("version", "").removeprefix("=="))
    return found


{% include "requirements.py" %}


@pytest.mark.skipif(not LOCK.exists(), reason=f"{LOCK.name} is not there yet")
@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_the_versions_are_those_of_the_lock(file: str) -> None:
    lock = locked()
    other = {name: found for name, found in versions(file).items() if found - lock.get(name, set())}
    assert other == {}, f"{file} does not fit {LOCK.name}: make lock"
