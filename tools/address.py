"""Give this repository another address on GitHub: pyproject.toml has it, and the documents follow.

The documentation site's address on GitHub Pages follows, too.

python tools/address.py you/django-drydock
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOST = "https://github.com/"


def repository(root: Path = ROOT) -> str:
    """Return the owner and the name of the repository, from the address in pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["urls"]["Repository"]).removeprefix(HOST)


def site(name: str) -> str:
    """Return where GitHub Pages serves the site of a repository."""
    owner, _, project = name.partition("/")
    return f"https://{owner}.github.io/{project}/"


def mentioned(root: Path, *names: str) -> dict[Path, str]:
    """Return the texts of the tracked files that mention a repository of GitHub, by any of these names."""
    patterns = [word for name in names for word in ("-e", name)]
    listed = subprocess.check_output(
        ["git", "-C", str(root), "grep", "-lIzF", *patterns], text=True
    )
    paths = [root / path for path in listed.split("\0") if path]
    return {path: path.read_text("utf-8") for path in paths}


def main() -> None:
    """Change the address everywhere."""
    if len(sys.argv) != 2 or not re.fullmatch(r"[\w.-]+/[\w.-]+", sys.argv[1]):
        sys.exit(__doc__)
    old, new = repository(ROOT), sys.argv[1]
    for path, text in mentioned(ROOT, old, site(old)).items():
        text = text.replace(site(old), site(new))
        path.write_text(
            re.sub(
                rf"(?<![\w/.-]){re.escape(old)}(?![\w-])|(?<=github\.com/){re.escape(old)}(?![\w-])",
                new,
                text,
            ),
            "utf-8",
        )
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
