"""Small templates in git repositories of their own, and this repository as one of them."""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result
from cookiecutter.main import cookiecutter

from drydock.record import NAME, Record
from tests.support.catalogue import ROOT

TOP = "{{cookiecutter.slug}}"
QUESTIONS: dict[str, Any] = {"slug": "site", "database": ["mysql", "postgresql"], "debug": False}
COMPOSE = """\
services:
  db:
    image: {{ cookiecutter.database }}:9
    restart: always
  web:
    image: web:1
"""
FILES = {
    f"{TOP}/docker-compose.yml": COMPOSE,
    f"{TOP}/README.md": "# {{ cookiecutter.slug }}\n\nA line.\n",
    f"{TOP}/run.sh": "#!/bin/sh\necho {{ cookiecutter.slug }}\n",
    f"{TOP}/{{% if cookiecutter.database == 'mysql' %}}my.cnf{{% endif %}}": "[mysqld]\nport = 1\n",
}


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; return what it printed."""
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@dataclass
class Template:
    """A template in a git repository."""

    folder: Path

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "Change") -> str:
        """Write files (None deletes one) and commit; return the commit's name."""
        for path, contents in files.items():
            target = self.folder / path
            if contents is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            data = contents if isinstance(contents, bytes) else contents.encode()
            target.write_bytes(data)
            target.chmod(0o755 if path.endswith(".sh") else 0o644)
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "--message", message)
        return self.head()

    def head(self) -> str:
        """Return the name of the newest commit."""
        return git(self.folder, "rev-parse", "HEAD")

    def generate(self, output: Path, record: bool = True, **answers: Any) -> Path:  # noqa: ANN401
        """Generate a project with cookiecutter itself, and write its record; return its folder."""
        made = cookiecutter(
            str(self.folder),
            no_input=True,
            output_dir=output,
            extra_context=answers,
            accept_hooks=False,
            overwrite_if_exists=True,
        )
        project = Path(made)
        if record:
            asked = json.loads((self.folder / "cookiecutter.json").read_text())
            first = {
                name: value[0] if isinstance(value, list) else value
                for name, value in asked.items()
            }
            public = {name: value for name, value in {**first, **answers}.items() if name[0] != "_"}
            text = Record(template=str(self.folder), commit=self.head(), answers=public).dumps()
            (project / NAME).write_text(text, encoding="utf-8")
        return project


MakeTemplate = Callable[..., Template]
Drydock = Callable[..., Result]


def copied(folder: Path) -> Template:
    """Copy this repository as it is now, committed or not, into a new folder; return it, with one commit."""
    names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    template = Template(folder)
    template.commit({}, "First")
    return template
