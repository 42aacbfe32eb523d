"""Time `drydock check` against `cruft diff` on the same project, and against cookiecutter's own floor.

The template has 200 files in a git repository that is reached by a URL; the mirror and the compiled
templates are warm. The commands take turns, so other work on the machine slows all of them; the ratios
are of one round each. The floor is `cookiecutter --version` and one generation in a process that has imported
cookiecutter. Prints a table; exits with 1 when a median ratio is over its limit.

    python bench/drift.py --rounds 9
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
FILES = 200
LIMITS = {"drydock / cruft": 0.5, "drydock / floor": 1.5}
BODY = """\
# {{ cookiecutter.slug }}: part %(number)d
{%% if cookiecutter.database == "mysql" %%}
engine = mysql
{%% endif %%}
{%% for name in ["a", "b", "c"] %%}
key_{{ name }} = %(number)d
{%% endfor %%}
"""


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; return what it printed."""
    command = ["git", "-C", str(folder), "-c", "user.name=Bench", "-c", "user.email=b@example.com"]
    return subprocess.run([*command, *words], check=True, capture_output=True, text=True).stdout


def make(folder: Path) -> tuple[Path, Path]:
    """Make a template, and a project of it with a record and an edit; return both folders."""
    template = folder / "template"
    for number in range(FILES):
        path = template / "{{cookiecutter.slug}}" / f"part{number % 20}" / f"{number}.ini"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BODY % {"number": number} + f"text = {number}\n" * 60)
    questions = {"slug": "site", "database": ["mysql", "postgresql"]}
    (template / "cookiecutter.json").write_text(json.dumps(questions))
    git(folder, "init", "--quiet", "--initial-branch=main", "template")
    git(template, "add", "--all")
    git(template, "commit", "--quiet", "--message", "First")
    record = {
        "template": f"file://{template}",
        "commit": git(template, "rev-parse", "HEAD").strip(),
        "checkout": None,
        "context": {"cookiecutter": {"slug": "site", "database": "mysql"}},
        "directory": None,
    }
    project = Path(cookiecutter(str(template), no_input=True, output_dir=folder))
    (project / ".cruft.json").write_text(json.dumps(record))
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "First")
    (project / "part3" / "3.ini").write_text("engine = sqlite\n")
    return template, project


def seconds(project: Path, *command: str | Path, statuses: tuple[int, ...] = (0,)) -> float:
    """Run a command in a project's folder; return the wall time."""
    started = time.perf_counter()
    result = subprocess.run([str(word) for word in command], cwd=project, capture_output=True)
    took = time.perf_counter() - started
    if result.returncode not in statuses:
        raise RuntimeError(f"{command}: {result.stderr.decode()}")
    return took


def generation(template: Path, folder: Path) -> float:
    """Generate in this process; return the wall time."""
    output = tempfile.mkdtemp(dir=folder)
    started = time.perf_counter()
    cookiecutter(str(template), no_input=True, output_dir=output)
    return time.perf_counter() - started


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds of all commands (9)")
    rounds = parser.parse_args().rounds
    rows: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"DRYDOCK_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
        template, project = make(folder)
        for number in range(rounds + 1):
            row = {
                "drydock check": seconds(project, BIN / "python", "-m", "drydock", "check", statuses=(1,)),
                "cruft diff": seconds(project, BIN / "cruft", "diff"),
                "cookiecutter --version": seconds(project, BIN / "cookiecutter", "--version"),
                "one generation": generation(template, folder),
            }  # fmt: skip
            if number:  # The first round fills the caches.
                rows.append(row)
    for row in rows:
        row["drydock / cruft"] = row["drydock check"] / row["cruft diff"]
        floor = row["cookiecutter --version"] + row["one generation"]
        row["drydock / floor"] = row["drydock check"] / floor
    print(f"{f'{FILES} files, s':24}{'median':>8}{'min':>8}{'max':>8}{'limit':>8}")
    medians = {}
    for label in rows[0]:
        values = [row[label] for row in rows]
        medians[label] = statistics.median(values)
        limit = f"{LIMITS[label]:8.2f}" if label in LIMITS else ""
        print(f"{label:24}{medians[label]:8.3f}{min(values):8.3f}{max(values):8.3f}{limit}")
    return any(medians[label] > limit for label, limit in LIMITS.items())


if __name__ == "__main__":
    sys.exit(main())
