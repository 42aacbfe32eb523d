"""Load three arrangements of one generated project, and compare them: the figures are ratios.

    uWSGI      nginx -> uWSGI
    Gunicorn   nginx -> Gunicorn, all other answers being the same
    peers      Gunicorn with WhiteNoise, without nginx: Gunicorn's image with one more middleware

All have MySQL, Redis, the sample application, two workers, and one processor for each server. The three are
loaded one after the other, in an order that changes from round to round, so other work on the machine slows
all of them; the ratios are of one round each, and the median is printed. Peers and Gunicorn share one MySQL
and one Redis; only one arrangement is loaded at a time. No client asks for compressed pages, which the peers
do not have. Clients keep their connections open; the peers' Gunicorn does so by its own default, as it must without
nginx.

The static file comes from the same nginx in both of the template's arrangements: as far as uWSGI/Gunicorn is from
1.00 there, other work on the machine disturbs the rest, too. Then the limits mean nothing: measure again.

With --long, the landing page is under load for more than a minute, and the window after the first minute is
compared with the first.

Needs Docker with Compose, and wrk. Exits with 1 when a ratio misses its limit or a request fails.

    python bench/serving.py                                 # 3 rounds of all pages, about 20 minutes
    python bench/serving.py --quick                         # does it work? about 4 minutes
    python bench/serving.py --long --rounds 1 --connections 8
    python bench/serving.py --pages json,list --connections 8,32 --seconds 10
"""

import argparse
import contextlib
import functools
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parent.parent
BUILT = ("backend", "backup", "nginx", "nginx-release", "mysql", "mariadb", "postgresql")
ARRANGEMENTS = ("uWSGI", "Gunicorn", "peers")
PAIRS = (("uWSGI", "Gunicorn"), ("uWSGI", "peers"), ("Gunicorn", "peers"))
# The same for all, because only the software is compared.
EQUAL = {"WEB_CONCURRENCY": "2", "BACKEND_CPUS": "1", "NGINX_CPUS": "1"}
PAGES = {
    "json": ("JSON, no database", "/health/live"),
    "landing": ("landing page", "/"),
    "list": ("list from MySQL", "/districts/"),
    "cached": ("the list, cached", "/cached/"),
    "detail": ("detail, part cached", "/districts/01/"),
    "static": ("static file", ""),
}
STATIC_SIZE = 100_000
# The lowest ratio of uWSGI's requests per second to Gunicorn's, with CONNECTIONS connections.
LIMITS = {"json": 1.6, "list": 1.3, "cached": 1.3}
CONNECTIONS = 8
# For --long: the template's own arrangements, the last window against the first, and the 99th percentile.
LATE = 0.95
P99 = 100.0
LONG_PAGE = "landing"
LONG_SECONDS = 60
BETWEEN = 0.5
# The figures of a window, and their digits.
UNITS = (("rate", 0), ("p50", 1), ("p99", 1))

WRK = """\
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\\n{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "status": %d, "socket": %d}\\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""
# Files that the backends get in config/ in addition to their images; one more page caches the whole list.
ADDED = {
    "bench_urls.py": """\
from django.urls import path
from django.views.decorators.cache import cache_page

from {slug}.drainage.views import DistrictList

from .urls import handler500, urlpatterns

urlpatterns += [path("cached/", cache_page(600)(DistrictList.as_view()))]
""",
    "bench.py": """\
from .settings import *

ROOT_URLCONF = "config.bench_urls"
""",
    "peers.py": """\
from .bench import *

# WhiteNoise serves the static files.
_place = MIDDLEWARE.index("django.middleware.security.SecurityMiddleware") + 1
MIDDLEWARE.insert(_place, "whitenoise.middleware.WhiteNoiseMiddleware")
""",
}
VOLUMES = "".join(f"\n      - ./{name}:/app/config/{name}:ro" for name in ADDED)
OVERRIDE = f"""\
services:
  backend:
    environment:
      DJANGO_SETTINGS_MODULE: config.bench
    volumes:{VOLUMES}
"""
PEERS = f"""\
  peers:
    extends: {{service: backend, file: docker-compose.yml}}
    build: !reset null
    pull_policy: never
    environment:
      DJANGO_SETTINGS_MODULE: config.peers
      GUNICORN_CMD_ARGS: --keep-alive 2
    volumes:{VOLUMES}
    ports: ["${{PEERS_PORT}}:8000"]
"""
# Prints the name and the size of the file whose size is next to the number.
FIND_STATIC = """
import json, os, sys
names = json.load(open("staticfiles/staticfiles.json"))["paths"].values()
sizes = {name: os.path.getsize("staticfiles/" + name) for name in names}
name = min(sorted(sizes), key=lambda name: abs(sizes[name] - int(sys.argv[1])))
print(name, sizes[name])
"""


class Failure(Exception):
    """What cannot be measured, in a sentence."""


def say(*words: object) -> None:
    """Tell the user what is going on."""
    print(*words, file=sys.stderr, flush=True)


def end(number: int, frame: object) -> NoReturn:
    """End on a signal as on Ctrl-C, which removes everything."""
    sys.exit(128 + number)


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ending(main: Callable[[], int]) -> Callable[[], int]:
    """Let a benchmark end with a sentence and a status: 1 if something cannot be measured, 130 after Ctrl-C."""

    @functools.wraps(main)
    def ended() -> int:
        try:
            return main()
        except Failure as failure:
            say(failure)
            return 1
        except KeyboardInterrupt:
            say("Broken off.")
            return 130

    return ended


@dataclass(frozen=True)
class Project:
    """A generated project, and its containers."""

    folder: Path
    env: dict[str, str]
    files: tuple[str, ...] = ("docker-compose.yml",)

    @property
    def slug(self) -> str:
        """The name of the project, also for Compose."""
        return self.folder.name

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its commands."""
        return {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.slug,
            "COMPOSE_PROGRESS": "plain",
        } | self.env

    def command(self, *words: str) -> list[str]:
        """Return a command of docker compose."""
        files = [word for name in self.files for word in ("--file", name)]
        return ["docker", "compose", *files, *words]

    def compose(self, *words: str) -> str:
        """Run docker compose; return what it printed."""
        result = subprocess.run(
            self.command(*words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise Failure(f"docker compose {' '.join(words)}:\n{result.stdout}{result.stderr}")
        return result.stdout

    def remove(self) -> None:
        """Remove its containers, volumes, networks and images; Ctrl-C does not interrupt it."""
        images = [f"{self.slug}-{service}" for service in BUILT]
        for command in (
            self.command("down", "--volumes", "--remove-orphans", "--timeout", "1"),
            ["docker", "image", "rm", "--force", *images],
        ):
            subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                check=False,
                start_new_session=True,
            )


@contextlib.contextmanager
def project(folder: Path, slug: str, env: dict[str, str], **answers: str) -> Iterator[Project]:
    """Generate a project in a folder; remove what Docker has of it, before and after."""
    say(f"Generating {slug}:", ", ".join(f"{name}={value}" for name, value in answers.items()))
    # The output of the template's hooks does not belong in the table.
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        extra = {"project_slug": slug, **answers}
        path = cookiecutter(
            str(ROOT), no_input=True, default_config=True, output_dir=folder, extra_context=extra
        )
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
    made = Project(Path(path), env)
    made.remove()  # left behind by an interrupted run
    try:
        yield made
    finally:
        say(f"Removing {slug}")
        made.remove()


def get(port: int, path: str, timeout: float = 10) -> tuple[int, int]:
    """Ask for a page once; return its status and the length of its body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Host": "localhost"})
        response = connection.getresponse()
        return response.status, len(response.read())
    finally:
        connection.close()


@dataclass(frozen=True)
class Window:
    """What wrk measured: requests per second, and the median and 99th percentile in milliseconds."""

    rate: float
    p50: float
    p99: float
    status: int
    socket: int


@dataclass(frozen=True)
class Load:
    """The client: wrk."""

    script: Path
    ports: dict[str, int]
    # A sentence for each failure.
    faults: list[str]

    def run(self, arrangement: str, path: str, connections: int, seconds: int) -> Window:
        """Load a page of an arrangement; return the figures."""
        url = f"http://127.0.0.1:{self.ports[arrangement]}{path}"
        words = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout=10s", "-HHost: localhost"]
        command = ["wrk", *words, f"-s{self.script}", url]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, int] = json.loads(result.stdout.splitlines()[-1])
        if not found["requests"]:
            raise Failure(f"{arrangement} answers no request: {url}\n{result.stdout}")
        window = Window(
            rate=found["requests"] / found["microseconds"] * 1e6,
            p50=found["p50"] / 1000,
            p99=found["p99"] / 1000,
            status=found["status"],
            socket=found["socket"],
        )
        if window.status or window.socket:
            fault = (
                f"{arrangement}, {path}, {connections} connections: of {found['requests']} requests"
            )
            fault += (
                f" {window.status} had a status over 399, {window.socket} an error of the socket"
            )
            say("FAILED:", fault)
            self.faults.append(fault)
        # Let the connections that wrk left behind end.
        time.sleep(BETWEEN)
        return window


# Page, connections -> a window of each arrangement, round by round.
Windows = dict[tuple[str, int], list[dict[str, Window]]]
# The first and the last window of each arrangement, round by round.
LongWindows = list[dict[str, tuple[Window, Window]]]


def prepare(uwsgi: Project, gunicorn: Project) -> tuple[str, int]:
    """Build and start all, with data; return the path of the static file and its size."""
    found = set()
    for one, override in ((uwsgi, OVERRIDE), (gunicorn, OVERRIDE + PEERS)):
        for name, text in ADDED.items():
            (one.folder / name).write_text(text.replace("{slug}", one.slug))
            (one.folder / name).chmod(0o644)
        (one.folder / "bench.yml").write_text(override)
        say(f"Building and starting {one.slug}")
        one.compose("up", "--build", "--wait", "--detach")
        one.compose(
            "exec", "-T", "backend", "python", "manage.py", "seed_readings", "--hours", "24"
        )
        words = ["python", "-c", FIND_STATIC, str(STATIC_SIZE)]
        found.add(one.compose("exec", "-T", "backend", *words).strip())
    if len(found) > 1:
        raise Failure(f"The static files differ: {found}")
    name, size = found.pop().split()
    return f"/static/{name}", int(size)


def warm_up(load: Load, paths: dict[str, str]) -> None:
    """Look at each page once, the same everywhere; then open the connections to the servers behind."""
    for page, path in paths.items():
        answers = {name: get(port, path) for name, port in load.ports.items()}
        say(f"{PAGES[page][0]}: {path}, {answers[ARRANGEMENTS[0]][1]} bytes")
        if any(status != 200 for status, _ in answers.values()):
            raise Failure(f"{path}: the statuses and lengths are {answers}")
        if len({length for _, length in answers.values()}) > 1:
            raise Failure(f"{path}: the lengths of the pages differ: {answers}")
        for name in ARRANGEMENTS:
            load.run(name, path, 32, 1)


def measure(
    load: Load, paths: dict[str, str], options: argparse.Namespace
) -> tuple[Windows, LongWindows]:
    """Load every page of every arrangement, round after round; return the windows."""
    windows: Windows = {(page, number): [] for page in paths for number in options.connections}
    long_windows: LongWindows = []
    total = options.rounds * len(windows) * len(ARRANGEMENTS)
    done = 0
    for turn in range(options.rounds):
        order = [
            ARRANGEMENTS[(turn + place) % len(ARRANGEMENTS)] for place in range(len(ARRANGEMENTS))
        ]
        for (page, connections), rows in windows.items():
            row: dict[str, Window] = {}
            for name in order:
                row[name] = window = load.run(name, paths[page], connections, options.seconds)
                done += 1
                say(
                    f"[{done:3}/{total}] round {turn + 1}: {PAGES[page][0]}, {connections} connections, "
                    f"{name}: {window.rate:.0f} requests/s, p99 {window.p99:.1f} ms"
                )
            rows.append(row)
        if options.long:
            pair: dict[str, tuple[Window, Window]] = {}
            for name in order:
                say(f"round {turn + 1}: {PAGES[LONG_PAGE][0]}, more than a minute, {name}")
                path = PAGES[LONG_PAGE][1]
                first = load.run(name, path, CONNECTIONS, options.seconds)
                load.run(name, path, CONNECTIONS, LONG_SECONDS - options.seconds)
                last = load.run(name, path, CONNECTIONS, options.seconds)
                say(f"    {first.rate:.0f}, then {last.rate:.0f} requests/s")
                pair[name] = (first, last)
            long_windows.append(pair)
    return windows, long_windows


def medians(rows: Sequence[dict[str, Window]], unit: str, digits: int) -> str:
    """Return a column of the table for each arrangement: the median of a figure."""
    figures = (statistics.median(getattr(row[name], unit) for row in rows) for name in ARRANGEMENTS)
    return "".join(f"{figure:9.{digits}f}" for figure in figures)


def report(windows: Windows, paths: dict[str, str], size: int) -> list[str]:
    """Print the windows; return what misses its limit."""
    missed = []
    names = {page: PAGES[page][0] for page in paths}
    names["static"] = f"static file, {size / 1000:.0f} kB"
    heads = [*(f"{one}/{other}" for one, other in PAIRS), "limit"]
    print(f"\n{'':31}{'requests/s, ratios':43}", end="")
    print("".join(f" | {head:26}" for head in ("requests/s", "p50, ms", "p99, ms")))
    print(
        f"{'medians':24}{'conns':>7}" + "".join(f"{head:>15}" for head in heads[:3]) + "  limit",
        end="",
    )
    print(3 * (" | " + "".join(f"{name:>9}" for name in ARRANGEMENTS)))
    for (page, connections), rows in windows.items():
        ratios = [
            statistics.median(row[one].rate / row[other].rate for row in rows)
            for one, other in PAIRS
        ]
        limit = LIMITS.get(page) if connections == CONNECTIONS else None
        line = f"{names[page]:24}{connections:7}" + "".join(f"{ratio:15.2f}" for ratio in ratios)
        line += f"{limit:7.2f}" if limit else 7 * " "
        for unit, digits in UNITS:
            line += f" | {medians(rows, unit, digits)}"
        print(line)
        if limit and ratios[0] < limit:
            missed.append(f"{names[page]}, uWSGI/Gunicorn: {ratios[0]:.2f} is less than {limit}")
    for page in LIMITS.keys() & paths.keys():
        if (page, CONNECTIONS) not in windows:
            print(
                f"No limit was looked at for {names[page]}: it holds at {CONNECTIONS} connections."
            )
    return missed


def report_long(rows: LongWindows) -> list[str]:
    """Print the windows under long load; return what misses its limit."""
    missed = []
    title = f"{PAGES[LONG_PAGE][0]}, {CONNECTIONS} connections"
    print(
        f"\n{title:31}{'late/early':>15}{'limit':>7} | {'requests/s':>18} | {'p50, ms':>18} | p99, ms"
    )
    print(f"{f'after {LONG_SECONDS} s of load':31}{'requests/s':>15}{'':7}", end="")
    print(3 * f" | {'early':>9}{'late':>9}" + "  limit")
    for name in ARRANGEMENTS:
        ratio = statistics.median(row[name][1].rate / row[name][0].rate for row in rows)
        limited = name != "peers"
        line = f"{name:31}{ratio:15.2f}" + (f"{LATE:7.2f}" if limited else 7 * " ")
        for unit, digits in UNITS:
            line += " | "
            for place, when in enumerate(("early", "late")):
                figure = statistics.median(getattr(row[name][place], unit) for row in rows)
                line += f"{figure:9.{digits}f}"
                if limited and unit == "p99" and figure > P99:
                    missed.append(f"{name}, p99 {when}: {figure:.1f} ms is more than {P99:.0f}")
        print(line + (f"{P99:7.0f}" if limited else ""))
        if limited and ratio < LATE:
            missed.append(f"{name}, late/early: {ratio:.2f} is less than {LATE}")
    return missed


def numbers(text: str) -> list[int]:
    """Return the numbers of a list with commas."""
    found = [int(word) for word in text.split(",")]
    if not all(0 < number < 200 for number in found):
        raise argparse.ArgumentTypeError(
            "from 1 to 199: nginx gives one address 200 requests under way"
        )
    return found


def pages(text: str) -> list[str]:
    """Return the names of a list with commas."""
    found = text.split(",")
    if unknown := set(found) - set(PAGES):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(PAGES)}")
    return found


def positive(text: str) -> int:
    """Return a number that is at least 1."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


@ending
def main() -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=positive, default=3, help="rounds of all windows (3)")
    parser.add_argument("--seconds", type=positive, default=5, help="length of a window (5)")
    parser.add_argument(
        "--connections", type=numbers, default=[1, 8, 32, 128], help="numbers of them (1,8,32,128)"
    )
    parser.add_argument(
        "--pages", type=pages, default=list(PAGES), help=f"some of them ({','.join(PAGES)})"
    )
    parser.add_argument(
        "--long", action="store_true", help=f"also the landing page after {LONG_SECONDS} s of load"
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"one round, {CONNECTIONS} connections, 2 s a window"
    )
    options = parser.parse_args()
    if options.seconds >= LONG_SECONDS:
        parser.error(f"--seconds: less than {LONG_SECONDS}")
    if options.quick:
        options.rounds, options.seconds, options.connections = 1, 2, [CONNECTIONS]
    if shutil.which("wrk") is None:
        parser.error("wrk is missing: apt install wrk")
    signal.signal(signal.SIGTERM, end)
    ports = {name: free_port() for name in ARRANGEMENTS}
    faults: list[str] = []
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "wrk.lua").write_text(WRK)
        answers = {"database": "mysql", "cache": "redis", "sample_app": "true"}

        def make(arrangement: str, **env: str) -> Project:
            env |= {**EQUAL, "HTTP_PORT": f"127.0.0.1:{ports[arrangement]}"}
            server = arrangement.lower()
            slug = f"bench_{server}"
            made = stack.enter_context(project(folder, slug, env, app_server=server, **answers))
            return Project(made.folder, made.env, (*made.files, "bench.yml"))

        uwsgi = make("uWSGI")
        gunicorn = make("Gunicorn", PEERS_PORT=f"127.0.0.1:{ports['peers']}")
        static, size = prepare(uwsgi, gunicorn)
        paths = {page: PAGES[page][1] or static for page in options.pages}
        load = Load(folder / "wrk.lua", ports, faults)
        warm_up(load, paths)
        windows, long_windows = measure(load, paths, options)
    if load_before > 0.5:
        print(
            f"Something else was running on this machine: its load was {load_before:.1f} before the start."
        )
    missed = report(windows, paths, size)
    if long_windows:
        missed += report_long(long_windows)
    for line in missed:
        print(f"MISSED: {line}")
    for line in faults:
        print(f"FAILED: {line}")
    return bool(missed or faults)


if __name__ == "__main__":
    sys.exit(main())
