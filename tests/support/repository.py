"""This repository as it is now, committed or not, in a git repository of its own."""

import shutil
from pathlib import Path

from tests.conftest import ROOT
from tests.drydock.conftest import Template, git


def copied(folder: Path) -> Template:
    """Return a copy in a new folder, with one commit."""
    names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    template = Template(folder)
    template.commit({}, "First")
    return template
