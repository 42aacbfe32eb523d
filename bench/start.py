"""Time the first start of a generated project in production against that of its database alone.

The images are built already and the volumes are new. `docker compose up --wait` begins, and the landing page is
asked for every 50 ms, from outside, until nginx answers it with 200. The floor is the same project's database
service, until `docker inspect`, every 50 ms, says that it is healthy. The two take turns, so other work on
the machine slows both; the ratios are of one round each. Prints a table, and when each step happened according to
Docker; exits with 1 if the median ratio is over the limit.

Needs Docker with Compose.

    python bench/start.py                                   # MySQL, 5 rounds, about 4 minutes
    python bench/start.py --database postgresql --rounds 9
"""

import argparse
import contextlib
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

from serving import ROOT, Failure, Project, end, ending, free_port, get, positive, project, say

LIMIT = 1.3
POLL = 0.05
PATIENCE = 180.0
CATALOGUE: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
# Databases with a server: the others have nothing to compare with.
DATABASES = [name for name in CATALOGUE["database"] if CATALOGUE["_databases"][name]["image"]]
DATABASE, SITE = "database alone, healthy", "site, first 200"

# What happened, and how many seconds after the start it did.
Notes = dict[str, float]


def wait(question: Callable[[], bool], what: str) -> None:
    """Ask every 50 ms until the answer is yes."""
    limit = time.monotonic() + PATIENCE
    while not question():
        if time.monotonic() > limit:
            raise Failure(f"After {PATIENCE:g} s, {what}.")
        time.sleep(POLL)


def state(one: Project, service: str) -> dict[str, Any]:
    """Return the state of a container as Docker knows it; empty as long as there is none."""
    command = ["docker", "inspect", "--format", "{{json .State}}", f"{one.slug}-{service}-1"]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found: dict[str, Any] = json.loads(output.strip() or "{}")
    return found


def seconds(text: str) -> float:
    """Return one of Docker's times as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def healthy(found: dict[str, Any]) -> float:
    """Return when a health check first succeeded; Docker keeps the last five."""
    checks = (check for check in found["Health"]["Log"] if check["ExitCode"] == 0)
    return min((seconds(check["End"]) for check in checks), default=math.nan)


def migrations(one: Project) -> tuple[float, float]:
    """Return when the release began to migrate and when it wrote its last line."""
    command = ["docker", "logs", "--timestamps", f"{one.slug}-release-1"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    begin = [line for line in lines if "Operations to perform" in line][:1]
    first, last = (
        seconds(found[0].split()[0]) if found else math.nan for found in (begin, lines[-1:])
    )
    return first, last


def fresh(one: Project) -> None:
    """Remove the containers and the volumes; the images stay."""
    one.compose("down", "--volumes", "--timeout", "1")


def site(one: Project, port: int, database: str) -> tuple[float, Notes]:
    """Start everything; return the seconds until the first page, and what happened meanwhile."""

    def answers() -> bool:
        with contextlib.suppress(OSError, HTTPException):
            if get(port, "/", timeout=5)[0] == 200:
                return True
        return process.poll() not in (None, 0)

    began, started = time.time(), time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            one.command("up", "--no-build", "--detach", "--wait"),
            cwd=one.folder,
            env=one.environment,
            stdout=output,
            stderr=output,
        )
        try:
            wait(answers, "no page came")
            took = time.perf_counter() - started
            process.wait(PATIENCE)
            returned = time.perf_counter() - started
        finally:
            process.terminate()
            process.wait()
        if process.returncode:
            output.seek(0)
            raise Failure(f"docker compose up --wait:\n{output.read()}")
    states = {name: state(one, name) for name in (database, "release", "backend", "nginx")}
    migrate, migrated = migrations(one)
    times = {
        "database started": seconds(states[database]["StartedAt"]),
        "release started": seconds(states["release"]["StartedAt"]),
        "database healthy": healthy(states[database]),
        "migrate begins": migrate,
        "release's last line": migrated,
        "release finished": seconds(states["release"]["FinishedAt"]),
        "backend started": seconds(states["backend"]["StartedAt"]),
        "nginx started": seconds(states["nginx"]["StartedAt"]),
        "first 200": began + took,
        "backend healthy": healthy(states["backend"]),
        "nginx healthy": healthy(states["nginx"]),
        "compose up --wait ends": began + returned,
    }
    return took, {name: moment - began for name, moment in times.items()}


def database_alone(one: Project, database: str) -> tuple[float, Notes]:
    """Start the database; return the seconds until it is healthy, and what happened meanwhile."""
    began, started = time.time(), time.perf_counter()
    process = subprocess.Popen(
        one.command("up", "--no-build", "--detach", database),
        cwd=one.folder,
        env=one.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait(
            lambda: state(one, database).get("Health", {}).get("Status") == "healthy",
            "the database was not healthy",
        )
        took = time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()
    found = state(one, database)
    times = {"database started": seconds(found["StartedAt"]), "database healthy": healthy(found)}
    return took, {name: moment - began for name, moment in times.items()}


def line(label: str, values: list[float], limit: str = "") -> None:
    """Print a row of the table."""
    figures = statistics.median(values), min(values), max(values)
    print(f"{label:28}" + "".join(f"{figure:8.2f}" for figure in figures) + f"{limit:>8}")


@ending
def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=positive, default=5, help="pairs of starts (5)")
    parser.add_argument("--database", choices=DATABASES, default=DATABASES[0], help="(%(default)s)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, end)
    port = free_port()
    floors: list[tuple[float, Notes]] = []
    sites: list[tuple[float, Notes]] = []
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory() as name,
        project(
            Path(name),
            "bench_start",
            {"HTTP_PORT": f"127.0.0.1:{port}"},
            database=options.database,
        ) as one,
    ):
        say("Building the images")
        one.compose("build")
        # The first round fills the caches of the file system, and does not count.
        for number in range(options.rounds + 1):
            pair = {}
            # Each is first in every other round.
            for label in (DATABASE, SITE)[:: 1 if number % 2 else -1]:
                fresh(one)
                if label == DATABASE:
                    pair[label] = database_alone(one, options.database)
                else:
                    pair[label] = site(one, port, options.database)
            floor, ours = pair[DATABASE][0], pair[SITE][0]
            say(
                f"[{number}/{options.rounds}] database {floor:.2f} s, site {ours:.2f} s, "
                f"ratio {ours / floor:.2f}" + ("" if number else " (not counted)")
            )
            if number:
                floors.append(pair[DATABASE])
                sites.append(pair[SITE])
    if load > 0.5:
        print(
            f"Something else was running on this machine: its load was {load:.1f} before the first start."
        )
    ratios = [ours / floor for (floor, _), (ours, _) in zip(floors, sites, strict=True)]
    print(f"\n{f'{options.database}, s':28}{'median':>8}{'min':>8}{'max':>8}{'limit':>8}")
    line(DATABASE, [took for took, _ in floors])
    line(SITE, [took for took, _ in sites])
    line("site / database", ratios, f"{LIMIT:.2f}")
    print("round by round: " + " ".join(f"{ratio:.2f}" for ratio in ratios))
    for label, rows in ((DATABASE, floors), (SITE, sites)):
        print(f"\nOn the way to: {label}")
        for note in rows[0][1]:
            line(f"  {note}", [notes[note] for _, notes in rows])
    return statistics.median(ratios) > LIMIT


if __name__ == "__main__":
    sys.exit(main())
