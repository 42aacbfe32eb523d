"""Time `drydock check` against `cruft diff` on the same projects, and against cookiecutter's own floor.

The templates have from 10 to 20,000 files, in a git repository that is reached by a URL. Warm means that the mirror
is there; cold that nothing is, as on a new machine. Two more projects have one lock file of 36,000 lines each, in
JSON, of which the team has changed every package, and in the second one the template has, too. The commands take
turns; the ratios are of one round each. The floor, for 200 files, is `cookiecutter --version` and one generation in a
process that has imported cookiecutter. The line below the table is the start-up: `drydock --help` over `python -c pass`.

Times are of the processor, in user and system mode, of a command and everything that it starts, so what waits for other
work on the machine does not count. drydock is compiled first, as it is once it has run. Prints a table in Markdown;
exits with 1 when a median is over its limit.

    python bench/drift.py --rounds 9
    python bench/drift.py --only "200 files" --only start-up
"""

import argparse
import compileall
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from cookiecutter.main import cookiecutter
from serving import ROOT, positive, say

BIN = Path(sys.executable).parent
SIZES = (10, 50, 200, 1000, 3000, 10_000, 20_000)
WITH_FLOOR = "200 files"
# No more than so many rounds if a command takes longer than these seconds.
FEWER = {5.0: 3, 30.0: 1}
WARM, COLD, LOCK, FLOOR = 0.5, 1.0, 1.0, 1.5
START_UP_ROW = "start-up"
START_UP, STARTS = 0.08, 21  # seconds, and how often they are measured
PACKAGES = 3600  # 10 lines each
BODY = """\
# {{ cookiecutter.slug }}: part %(number)d
{%% if cookiecutter.database == "mysql" %%}
engine = mysql
{%% endif %%}
{%% for name in ["a", "b", "c"] %%}
key_{{ name }} = %(number)d
{%% endfor %%}
"""
# Makes the files of a template in a folder, and their edits in a project.
Make = Callable[[Path], None]
# The seconds that each command took, round by round.
Times = dict[str, list[float]]


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; return what it printed."""
    command = ["git", "-C", str(folder), "-c", "user.name=Bench", "-c", "user.email=b@example.com"]
    return subprocess.run([*command, *words], check=True, capture_output=True, text=True).stdout


def commit(folder: Path) -> None:
    """Commit everything in a folder."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")


def parts(count: int) -> Make:
    """Return what makes a number of files."""

    def make(folder: Path) -> None:
        for number in range(count):
            path = folder / f"part{number % 20}" / f"{number}.ini"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(BODY % {"number": number} + f"text = {number}\n" * 60)

    return make


def lock(version: str) -> Make:
    """Return what makes a lock file in which every package has a version."""

    def make(folder: Path) -> None:
        packages = {
            f"node_modules/package-{number}": {
                "version": f"{version}.{number}",
                "resolved": f"https://registry.example.com/package-{number}-{version}.{number}.tgz",
                "integrity": f"sha512-{version}-{number}",
                "license": "MIT",
                "dependencies": {"other": f"^{version}.{number}", "more": "*"},
            }
            for number in range(PACKAGES)
        }
        content = {"lockfileVersion": 3, "packages": packages}
        (folder / "package-lock.json").write_text(json.dumps(content, indent=2) + "\n")

    return make


def edit_a_part(project: Path) -> None:
    """Edit one file."""
    (project / "part3" / "3.ini").write_text("engine = sqlite\n")


def prepare(folder: Path, make: Make, edit: Make, news: Make | None) -> tuple[Path, Path]:
    """Make a template, and a project of it with a record and an edit; return both folders."""
    template = folder / "template"
    content = template / "{{cookiecutter.slug}}"
    content.mkdir(parents=True)
    make(content)
    questions = {"slug": "site", "database": ["mysql", "postgresql"]}
    (template / "cookiecutter.json").write_text(json.dumps(questions))
    git(folder, "init", "--quiet", "--initial-branch=main", "template")
    commit(template)
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
    commit(project)
    edit(project)
    if news:
        news(content)
        commit(template)
    return template, project


def busy() -> float:
    """Return the processor time of this process and of those that have ended, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def seconds(
    project: Path, *command: str | Path, cache: Path, statuses: tuple[int, ...] = (0,)
) -> float:
    """Run a command in a project's folder; return its processor time."""
    env = os.environ | {"DRYDOCK_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    words = [str(word) for word in command]
    started = busy()
    result = subprocess.run(words, cwd=project, capture_output=True, env=env, check=False)
    took = busy() - started
    if result.returncode not in statuses:
        raise RuntimeError(f"{command}: {result.stderr.decode()}")
    return took


def check(project: Path, cache: Path) -> float:
    """Run `drydock check` in a project; return its processor time."""
    return seconds(project, BIN / "python", "-m", "drydock", "check", cache=cache, statuses=(1,))


def generation(template: Path, folder: Path) -> float:
    """Generate in this process; return the processor time."""
    with tempfile.TemporaryDirectory(dir=folder) as output:
        started = busy()
        cookiecutter(str(template), no_input=True, output_dir=output)
        return busy() - started


def one_round(template: Path, project: Path, folder: Path, *, floor: bool) -> dict[str, float]:
    """Return the seconds that each command takes."""
    with tempfile.TemporaryDirectory(dir=folder) as empty:
        row = {
            "warm": check(project, folder / "cache"),
            "cruft": seconds(project, BIN / "cruft", "diff", cache=folder),
            "cold": check(project, Path(empty) / "cache"),
        }
    if floor:
        row["floor"] = generation(template, folder)
        row["floor"] += seconds(project, BIN / "cookiecutter", "--version", cache=folder)
    return row


def measure(
    folder: Path, make: Make, edit: Make, news: Make | None, rounds: int, *, floor: bool
) -> Times:
    """Measure one template; return the times."""
    template, project = prepare(folder, make, edit, news)
    check(project, folder / "cache")  # Fills the caches.
    rows: list[dict[str, float]] = []
    while len(rows) < rounds:
        rows.append(one_round(template, project, folder, floor=floor))
        longest = max(rows[0].values())
        rounds = min([rounds, *(count for limit, count in FEWER.items() if longest > limit)])
    return {name: [row[name] for row in rows] for name in rows[0]}


def report(label: str, times: Times, limits: dict[tuple[str, str], float]) -> bool:
    """Print a row of the table; return whether a limit is missed."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    cells = [label, *(f"{medians[name]:.2f}" for name in ("warm", "cold", "cruft"))]
    missed = False
    for (ours, theirs), limit in limits.items():
        ratios = [one / other for one, other in zip(times[ours], times[theirs], strict=True)]
        ratio = statistics.median(ratios)
        missed |= ratio > limit
        verdict = "MISSED" if ratio > limit else "ok"
        cells.append(
            f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), at most {limit:.1f}: {verdict}"
        )
    print("| " + " | ".join(cells) + " |", flush=True)
    return missed


def start_up() -> bool:
    """Print how long drydock takes to start, beyond Python itself; return whether that is over the limit."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        times = []
        for _ in range(STARTS):
            whole = seconds(place, sys.executable, "-m", "drydock", "--help", cache=place)
            times.append(whole - seconds(place, sys.executable, "-c", "pass", cache=place))
    median = statistics.median(times)
    missed = median > START_UP
    spread = f"{min(times) * 1000:.0f} to {max(times) * 1000:.0f}"
    print(
        f"\nStart-up over Python's own: {median * 1000:.0f} ms ({spread}), at most {START_UP * 1000:.0f}: "
        f"{'MISSED' if missed else 'ok'}"
    )
    return missed


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=positive, default=9, help="rounds of all commands (9)")
    parser.add_argument("--only", action="append", metavar="ROW", help='a row, such as "200 files"')
    options = parser.parse_args()
    warm, cold = ("warm", "cruft"), ("cold", "cruft")
    rows: dict[str, tuple[Make, Make, Make | None, dict[tuple[str, str], float]]] = {
        f"{size} files": (parts(size), edit_a_part, None, {warm: WARM, cold: COLD})
        for size in SIZES
    }
    locks = {warm: LOCK, cold: LOCK}
    rows["lock, changed here"] = (lock("1.0"), lock("1.1"), None, locks)
    rows["lock, changed on both sides"] = (lock("1.0"), lock("1.1"), lock("1.2"), locks)
    compileall.compile_dir(ROOT / "drydock", quiet=1)
    missed = False
    print("| | check, warm, s | check, cold, s | cruft diff, s | warm / cruft | cold / cruft | warm / floor |")  # fmt: skip
    print("|---|---|---|---|---|---|---|", flush=True)
    for label, (make, edit, news, limits) in rows.items():
        if options.only and label not in options.only:
            continue
        say(label)
        floor = label == WITH_FLOOR
        with tempfile.TemporaryDirectory() as name:
            times = measure(Path(name), make, edit, news, options.rounds, floor=floor)
        more = {("warm", "floor"): FLOOR} if floor else {}
        missed |= report(label, times, limits | more)
    if not options.only or START_UP_ROW in options.only:
        missed |= start_up()
    return missed


if __name__ == "__main__":
    sys.exit(main())
