"""Measure what a request costs in a generated project, and work out what follows for more machines.

Each page is under load for a minute. Docker says how much processor time each container took meanwhile: divided by
the number of requests, that is a cost which other work on the machine hardly changes, unlike requests per second.
Prints, as Markdown:

- milliseconds of a processor that a request takes of each service;
- connections to the database, and cache hits;
- how many machines of each size take which load, with one database server beside them, what is the first
  bottleneck there, and what a million requests cost.

Prices are of the order of Amazon's on-demand prices per hour, for Linux in us-east-1: put today's, and your own region's,
into SIZES. A processor there is not a processor here: only the ratios between the rows hold everywhere.

Needs Docker with Compose, and wrk.

    python bench/scale.py                                    # MySQL, Redis, uWSGI; about 7 minutes
    python bench/scale.py --database postgresql --app-server gunicorn
    python bench/scale.py --seconds 5                        # does it work? about 2 minutes
"""

import argparse
import http.client
import json
import shutil
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path

from serving import (
    ROOT,
    WRK,
    Load,
    Project,
    end,
    ending,
    free_port,
    positive,
    project,
    say,
)

CATALOGUE = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
DATABASES = [name for name in CATALOGUE["database"] if CATALOGUE["_databases"][name]["image"]]
CACHES = [name for name in CATALOGUE["cache"] if CATALOGUE["_caches"][name]["image"]]
PAGES = {"landing page": "/", "list": "/districts/", "detail": "/districts/01/"}
CONNECTIONS = 16
# A third of the processors stays free for peaks.
BUSY = 2 / 3
# Size -> processors, dollars an hour.
SIZES = {
    "t3.small": (2, 0.0208),
    "m7i.large": (2, 0.1008),
    "c7i.xlarge": (4, 0.1785),
    "c7i.2xlarge": (8, 0.357),
}
MACHINES = (1, 2, 4, 10, 100)
# What the database allows, and what the user of the project has open, but for the one that asks.
ASK = """
from django.db import connection
mysql = connection.vendor == "mysql"
with connection.cursor() as cursor:
    cursor.execute("SELECT @@max_connections" if mysql else "SHOW max_connections")
    allowed = cursor.fetchone()[0]
    cursor.execute(
        "SELECT count(*) - 1 FROM information_schema.processlist" if mysql
        else "SELECT count(*) - 1 FROM pg_stat_activity WHERE usename = current_user"
    )
    print(allowed, cursor.fetchone()[0])
"""


class Engine(http.client.HTTPConnection):
    """A connection to Docker on this machine."""

    def connect(self) -> None:
        """Connect to its socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/var/run/docker.sock")


def processor(one: Project, service: str) -> float:
    """Return the processor time that a service's container has taken so far, in seconds."""
    container = one.compose("ps", "--quiet", service).strip()
    engine = Engine("localhost")
    engine.request("GET", f"/containers/{container}/stats?stream=false&one-shot=true")
    found = json.loads(engine.getresponse().read())
    engine.close()
    return float(found["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Milliseconds of a processor that a request takes of each service."""

    nginx: float
    backend: float
    database: float
    cache: float

    @property
    def front(self) -> float:
        """What machines share."""
        return self.nginx + self.backend

    @property
    def back(self) -> float:
        """What there is one of."""
        return self.database + self.cache


def measure(one: Project, services: dict[str, str], path: str, load: Load, length: int) -> Cost:
    """Load a page for some seconds; return what a request of it costs."""
    load.run("it", path, CONNECTIONS, 2)
    before = {name: processor(one, service) for name, service in services.items()}
    window = load.run("it", path, CONNECTIONS, length)
    requests = window.rate * length
    return Cost(
        **{
            name: (processor(one, service) - before[name]) * 1000 / requests
            for name, service in services.items()
        }
    )


def ask(one: Project) -> tuple[int, int]:
    """Return how many connections the database allows, and how many are open."""
    words = ["exec", "-T", "backend", "python", "manage.py", "shell", "-v0", "-c", ASK]
    allowed, opened = one.compose(*words).split()
    return int(allowed), int(opened)


def hits(one: Project, cache: str) -> float:
    """Return the share of the questions to Redis or Valkey so far that it could answer."""
    script = f'REDISCLI_AUTH="$CACHE_PASSWORD" {cache}-cli info stats'
    lines = one.compose("exec", "-T", cache, "sh", "-c", script).split()
    found = {name: int(value) for name, _, value in (line.partition(":") for line in lines)
             if name in ("keyspace_hits", "keyspace_misses")}  # fmt: skip
    return found["keyspace_hits"] / max(1, sum(found.values()))


def table(*rows: tuple[object, ...]) -> str:
    """Return a table in Markdown; the first row is its head, and all columns but the first are numbers."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    lines.insert(1, f"|---{'|--:' * (len(rows[0]) - 1)}|")
    return "\n".join(lines)


def arrangements(mean: Cost, threads: int, allowed: int) -> list[tuple[object, ...]]:
    """Return what each number of machines of each size takes: rows of a table."""
    rows: list[tuple[object, ...]] = []
    for size, (processors, price) in SIZES.items():
        for machines in MACHINES:
            capacity = processors * BUSY * 1000
            fronts = max(1, machines - 1)
            if machines == 1:
                rate, first = capacity / (mean.front + mean.back), "the processors"
            else:
                rate = min(fronts * capacity / mean.front, capacity / mean.back)
                first = "backends" if rate < capacity / mean.back else "the database's processors"
            opened = fronts * processors * threads
            if opened > allowed:
                first += f", {opened} connections"
            dollars = machines * price / rate / 3600 * 1e6
            rows.append((size, machines, f"{rate:,.0f}", f"{opened}", f"{dollars:.3f}", first))
    return rows


@ending
def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=DATABASES, default=DATABASES[0])
    parser.add_argument("--cache", choices=CACHES, default=CACHES[0])
    parser.add_argument("--app-server", choices=CATALOGUE["app_server"], default="uwsgi")
    parser.add_argument("--seconds", type=positive, default=60, help="load of each page (60)")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        parser.error("wrk is missing: apt install wrk")
    signal.signal(signal.SIGTERM, end)
    answers = {name: getattr(options, name) for name in ("database", "cache", "app_server")}
    services = {
        "nginx": "nginx",
        "backend": "backend",
        "database": options.database,
        "cache": options.cache,
    }
    port = free_port()
    env = {"HTTP_PORT": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "1", "BACKEND_CPUS": "1"}
    faults: list[str] = []
    with (
        tempfile.TemporaryDirectory() as name,
        project(Path(name), "bench_scale", env, **answers) as one,
    ):
        script = Path(name, "wrk.lua")
        script.write_text(WRK)
        say("Building and starting")
        one.compose("up", "--build", "--wait", "--detach")
        one.compose("exec", "-T", "backend", "python", "manage.py", "seed_readings")
        load = Load(script, {"it": port}, faults)
        costs = {}
        for page, path in PAGES.items():
            say(f"{page}: {options.seconds} s")
            costs[page] = measure(one, services, path, load, options.seconds)
        allowed, opened = ask(one)
        share = hits(one, options.cache) if options.cache != "memcached" else None
    names = [field.name for field in fields(Cost)]
    mean = Cost(**{n: sum(getattr(c, n) for c in costs.values()) / len(costs) for n in names})
    rows = [
        (page, *(f"{getattr(cost, name):.2f}" for name in names), f"{1000 / cost.backend:,.0f}")
        for page, cost in {**costs, "mean": mean}.items()
    ]
    print(f"{', '.join(answers.values())}: milliseconds of a processor that a request takes\n")
    print(table(("", *names, "requests/s of a backend's processor"), *rows))
    print(f"\nConnections to the database: {opened} of one process, {allowed} allowed.")
    if share is not None:
        print(f"Cache: {share:.1%} hits.")
    print("\nAt the prices in SIZES, with a third of each processor free:\n")
    head = ("size", "machines", "requests/s", "connections", "$ a million", "first bottleneck")
    print(table(head, *arrangements(mean, opened, allowed)))
    for fault in faults:
        print(f"FAILED: {fault}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
