"""Time a generation next to an empty template and to other people's templates, in one run.

Each time is that of a whole run of the command, with the default answers. The templates take turns, so other work on
the machine slows all of them, and the ratios are of one round each. The unit is a template of one file, without
hooks. Prints a table; exits with 1 if a median ratio is over its limit, or a peer could not be fetched or measured.

The peers are cloned at their newest commit, and run by the same cookiecutter as this template, in an environment made
for the measurement. They do not use the network: cookiecutter-django's hook finds a `uv` that does nothing, and copier
skips its tasks.

    python bench/generation.py --rounds 15
    python bench/generation.py --peer wemake-django-template=/path/of/a/repository
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from serving import ROOT, Failure, positive

OURS, UNIT = "django-drydock", "empty template"
# The highest ratios of this template's time to the unit's and to each peer's.
LIMIT, PEER_LIMIT = 2.5, 1.0
# {} stands for the template; the folder to generate into comes last.
COOKIECUTTER = ("cookiecutter", "--no-input", "--default-config", "{}", "--output-dir")
COPIER = ("copier", "copy", "--defaults", "--trust", "--skip-tasks", "--quiet", "{}")


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Somebody else's template."""

    source: str  # what git clones
    packages: tuple[str, ...] = ()  # what it needs besides cookiecutter
    copier: bool = False  # a template for copier, not for cookiecutter


PEERS = {
    "cookiecutter-django": Peer(source="https://github.com/cookiecutter/cookiecutter-django"),
    "wemake-django-template": Peer(
        source="https://github.com/wemake-services/wemake-django-template",
        packages=("jinja2-git",),
    ),
    "django-copier": Peer(
        source="https://github.com/otto-torino/django-copier", packages=("copier",), copier=True
    ),
}
# The seconds that each template took, round by round.
Times = dict[str, list[float]]


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a command; return what it printed."""
    words = [str(word) for word in command]
    result = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if result.returncode:
        output = (result.stderr.strip() or result.stdout.strip() or "no output").splitlines()
        raise Failure(f"`{words[0].rpartition('/')[2]} ...`: {output[-1]}")
    return result.stdout


def empty_template(folder: Path) -> Path:
    """Make a template of one empty file in `folder`; return its path."""
    (folder / "{{cookiecutter.project_slug}}").mkdir(parents=True)
    (folder / "{{cookiecutter.project_slug}}" / "empty").touch()
    (folder / "cookiecutter.json").write_text('{"project_slug": "empty"}')
    return folder


def clone(peer: Peer, source: str, folder: Path) -> str:
    """Clone a peer into `folder`; return its commit."""
    asks_nobody = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    run("git", "clone", "--quiet", "--depth", "1", source, folder, env=asks_nobody)
    commit = run("git", "-C", folder, "rev-parse", "--short", "HEAD").strip()
    if peer.copier:
        # copier would clone a repository in each run.
        shutil.rmtree(folder / ".git")
    return commit


def install(folder: Path, packages: Iterable[str]) -> Path:
    """Make a virtual environment in `folder`; return the directory of its commands."""
    uv = Path(sys.executable).parent / "uv"
    run(uv, "venv", "--quiet", "--python", sys.executable, folder)
    cookiecutter = f"cookiecutter=={version('cookiecutter')}"
    python = folder / "bin" / "python"
    run(uv, "pip", "install", "--quiet", "--python", python, cookiecutter, *packages)
    return folder / "bin"


def environment(folder: Path) -> dict[str, str]:
    """Return the variables for all runs: none of the user's settings, and a `uv` that does nothing.

    Python may keep compiled modules, as it does for users: compiling cookiecutter anew in each run would take longer
    than most generations, and make all templates look alike.
    """
    (folder / "home").mkdir()
    stubs = folder / "stubs"
    stubs.mkdir()
    (stubs / "uv").write_text("#!/bin/sh\n")
    (stubs / "uv").chmod(0o755)
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "HOME": str(folder / "home"),
        "PATH": f"{stubs}{os.pathsep}{os.environ['PATH']}",
    }


def command(tools: Path, name: str, template: Path) -> list[str]:
    """Return the command that generates from a template; the folder to generate into comes last."""
    words = COPIER if name in PEERS and PEERS[name].copier else COOKIECUTTER
    return [str(tools / words[0]), *(word.format(template) for word in words[1:])]


def generate(words: list[str], env: dict[str, str]) -> tuple[float, int]:
    """Generate into a new folder; return the wall time in seconds, and the number of files."""
    with tempfile.TemporaryDirectory() as output:
        started = time.perf_counter()
        run(*words, output, env=env)
        took = time.perf_counter() - started
        return took, sum(path.is_file() for path in Path(output).rglob("*"))


def measure(
    commands: dict[str, list[str]], env: dict[str, str], rounds: int
) -> tuple[Times, dict[str, int], list[str]]:
    """Generate in turn; return the times, the numbers of files, and what failed."""
    files: dict[str, int] = {}
    failures: list[str] = []
    for name, words in commands.items():  # Fills the caches: not counted.
        try:
            _, files[name] = generate(words, env)
        except Failure as failure:
            if name not in PEERS:
                raise
            failures.append(f"{name} was not generated: {failure}")
    times: Times = {name: [] for name in files}
    names = list(files)
    for number in range(rounds):
        start = number % len(names)  # So that none always runs after the same one.
        for name in names[start:] + names[:start]:
            times[name].append(generate(commands[name], env)[0])
    return times, files, failures


def report(times: Times, files: dict[str, int], commits: dict[str, str]) -> bool:
    """Print the table; return whether a limit is missed."""
    print(f"{'':24}{'commit':>10}{'files':>7}{'median, s':>11}{'min':>8}{'max':>8}", end="")
    print(f"{'ms/file':>9}{'/ empty':>9}{'ours /':>8}{'limit':>7}")
    missed = False
    for name, seconds in times.items():
        units, ours = (
            statistics.median(first / second for first, second in zip(*pair, strict=True))
            for pair in ((seconds, times[UNIT]), (times[OURS], seconds))
        )
        line = (
            f"{name:24}{commits.get(name, ''):>10}{files[name]:7}{statistics.median(seconds):11.3f}"
        )
        line += f"{min(seconds):8.3f}{max(seconds):8.3f}"
        line += f"{statistics.median(seconds) / files[name] * 1000:9.1f}{units:9.2f}{ours:8.2f}"
        if name != UNIT:
            ratio, limit = (units, LIMIT) if name == OURS else (ours, PEER_LIMIT)
            # This template may reach the limit in units, but must be faster than a peer.
            over = ratio > limit if name == OURS else ratio >= limit
            line += f"{limit:7.2f}  {'MISSED' if over else 'ok'}"
            missed |= over
        print(line)
    return missed


def named_source(text: str) -> tuple[str, str]:
    """Return the name of a peer and what to clone instead."""
    name, _, source = text.partition("=")
    if name not in PEERS or not source:
        raise argparse.ArgumentTypeError(f"NAME=PATH, with a NAME of {', '.join(PEERS)}")
    return name, source


def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=positive, default=15, help="rounds of all templates (15)")
    parser.add_argument(
        "--peer", type=named_source, action="append", default=[], metavar="NAME=PATH",
        help="a repository on this machine, or a URL, to clone a peer from",
    )  # fmt: skip
    options = parser.parse_args()
    sources = {name: peer.source for name, peer in PEERS.items()} | dict(options.peer)
    failures: list[str] = []
    commits: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        env = environment(folder)
        templates = {UNIT: empty_template(folder / "empty"), OURS: ROOT}
        for name, peer in PEERS.items():
            try:
                commits[name] = clone(peer, sources[name], folder / name)
                templates[name] = folder / name
            except Failure as failure:
                failures.append(f"{name} was not fetched: {failure}")
        try:
            packages = {package for name in commits for package in PEERS[name].packages}
            tools = install(folder / "venv", packages)
            commands = {name: command(tools, name, path) for name, path in templates.items()}
            times, files, broken = measure(commands, env, options.rounds)
        except Failure as failure:
            print(f"FAILED: {failure}")
            return 1
    missed = report(times, files, commits)
    failures += broken
    for line in failures:
        print(f"FAILED: {line}")
    return missed or bool(failures)


if __name__ == "__main__":
    sys.exit(main())
