"""Check that a tag may be released, and print its part of the changelog.

    python tools/release.py v1.2.0

The tag is the version in pyproject.toml after a `v`, and CHANGELOG.md has a section for it. On GitHub, the address in
pyproject.toml is the repository's own.
"""

import os
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def section(changelog: str, version: str) -> str:
    """Return the text below a version's heading, empty if it has none; a date may follow the version."""
    heading = rf"^## \[?{re.escape(version)}\]?(?: [^\n]*)?\n"
    found = re.search(rf"{heading}(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def notes(tag: str, root: Path, repository: str | None = None) -> str:
    """Return what the changelog says about a tag of owner/name; ValueError if it may not be released."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    version = project["version"]
    if repository and project["urls"]["Repository"] != f"https://github.com/{repository}":
        raise ValueError(
            f"pyproject.toml and the documents have another address: `make address REPOSITORY={repository}`."
        )
    if tag != f"v{version}":
        raise ValueError(f"The tag is {tag}, but the version in pyproject.toml is {version}.")
    text = section((root / "CHANGELOG.md").read_text("utf-8"), version)
    if not text:
        raise ValueError(f"CHANGELOG.md says nothing below a heading `## {version}`.")
    return text


def main() -> None:
    """Print the release notes, or say why the tag cannot be released."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        print(notes(sys.argv[1], ROOT, os.environ.get("GITHUB_REPOSITORY")))
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
