"""Brings Pipfile.lock in line with Pipfile. What is locked already keeps its version, if Pipfile allows it.

`pipenv lock` upgrades everything, and `pipenv upgrade` drops nothing. But the versions of [packages] also bind the
other groups: so in a copy of Pipfile, what is locked is in [packages], and what is asked for is in another group.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PIPFILE, LOCK = Path("Pipfile"), Path("Pipfile.lock")


def asked_for(pipfile: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what Pipfile says about each package."""
    return {
        canonicalize_name(name): {"version": entry} if isinstance(entry, str) else entry
        for group in ("packages", "dev-packages", "production")
        for name, entry in pipfile.get(group, {}).items()
    }


def locked() -> dict[str, str]:
    """Return the versions in Pipfile.lock; where there is none yet, those that the images install."""
    if LOCK.exists():
        groups = json.loads(LOCK.read_text("utf-8"))
        del groups["_meta"]
        entries = [entry for group in groups.values() for entry in group.items()]
        return {name: entry["version"] for name, entry in entries if "version" in entry}
    lines = "".join(path.read_text("utf-8") for path in Path().glob("requirements*.txt"))
    pins = map(Requirement, re.findall(r"^\w.*?(?= *\\$)", lines, re.MULTILINE))
    return {pin.name: str(pin.specifier) for pin in pins if not pin.marker or pin.marker.evaluate()}


def kept(pipfile: str) -> str:
    """Return a Pipfile's lines for the packages that keep their versions."""
    asked = asked_for(tomllib.loads(pipfile))
    lines = []
    for name, version in locked().items():
        entry = asked.get(name, {})
        if version.removeprefix("==") in SpecifierSet(entry.get("version", "").strip("*")):
            pairs = (entry | {"version": version}).items()
            values = ", ".join(f"{key} = {json.dumps(value)}" for key, value in pairs)
            lines.append(name + " = {" + values + "}\n")
    return "".join(lines)


def pipenv(command: str, **env: str) -> bool:
    """Run a command of Pipenv; tell whether it worked."""
    words = [sys.executable, "-m", "pipenv", command]
    return subprocess.run(words, env=os.environ | env).returncode == 0  # noqa: S603


def main() -> None:
    """Write Pipfile.lock."""
    pipfile = PIPFILE.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, PIPFILE.name)
        groups = re.sub(r"^\[packages\b", "[asked-for", pipfile, flags=re.MULTILINE)
        copy.write_text(f"[packages]\n{kept(pipfile)}\n{groups}", "utf-8")
        if not pipenv("lock", PIPENV_PIPFILE=str(copy)):
            sys.exit(f"{PIPFILE} needs newer versions of what is locked: make upgrade")
        lock = json.loads(Path(folder, LOCK.name).read_text("utf-8"))
    lock["default"] = lock.pop("asked-for")
    LOCK.write_text(json.dumps(lock, indent=4) + "\n", "utf-8")
    # There is nothing to upgrade, but this also notes which Pipfile it is.
    sys.exit(not pipenv("upgrade"))


if __name__ == "__main__":
    main()
