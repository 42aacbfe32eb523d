"""Generate the default project into its own branch, for people to browse.

    python tools/example.py https://github.com/ORG/django-drydock

The template comes from the repository's default branch, as a user has it, and the project goes to its branch
`example`: as a new commit, if any file other than the record has changed. Two things stay out: `.env`, which the
project's .gitignore lists, and its workflows, since GitHub does not let workflows push workflows.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cookiecutter.main import cookiecutter

BRANCH = "example"
RECORD = ".cruft.json"


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; return what it printed."""
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def commit(project: Path, repository: str) -> bool:
    """Commit a project on top of the branch if it differs; tell whether it did."""
    git(project, "init", "--quiet", "--initial-branch", BRANCH)
    there = git(project, "ls-remote", repository, f"refs/heads/{BRANCH}")
    if there:
        git(project, "fetch", "--quiet", "--depth", "1", repository, BRANCH)
        git(project, "reset", "--soft", "FETCH_HEAD")
    git(project, "add", "--all")
    # The record names the template's commit, which always differs.
    others = ["--", ".", f":(exclude){RECORD}"]
    if there and not git(project, "diff", "--cached", "--name-only", *others):
        return False
    source = json.loads((project / RECORD).read_text("utf-8"))["commit"]
    git(project, "commit", "--quiet", "--message", f"The default project of {source}")
    return True


def main() -> None:
    """Generate, commit and push."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    repository = sys.argv[1]
    with tempfile.TemporaryDirectory() as output:
        project = Path(cookiecutter(repository, no_input=True, output_dir=output))
        shutil.rmtree(project / ".github" / "workflows")
        if commit(project, repository):
            git(project, "push", "--quiet", repository, f"HEAD:refs/heads/{BRANCH}")
            print(f"Pushed to {BRANCH}: {git(project, 'log', '-1', '--format=%s')}")
        else:
            print(f"{BRANCH} is as it was.")


if __name__ == "__main__":
    main()
