"""Tasks on a server: each is done and leaves one trace, whatever dies and whatever is released."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.stack.conftest import Stack, commit, eventually, serve
from tests.support.catalogue import CATALOGUE
from tests.support.commands import succeed
from tests.support.stacks import LONG, STACKS, only_in_the_long_form

pytestmark = pytest.mark.stack

QUEUES = [name for name, entry in CATALOGUE["_task_queues"].items() if entry["image"]]
# How many tasks, and how often their worker is killed; the broker is killed once in the long form.
NUMBER, KILLS = (1000, 5) if LONG else (100, 1)
SECONDS = 300 if LONG else 120
# A user's name is unique.
MARK = '''

@shared_task
def mark(name: str, seconds: float = 0.05) -> None:
    """Leave a row behind."""
    import time

    from django.contrib.auth import get_user_model

    time.sleep(seconds)
    get_user_model().objects.get_or_create(username=name)
'''


@pytest.fixture(scope="module", params=QUEUES)
def server(request: pytest.FixtureRequest, make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """Return a server with a first release whose tasks come back soon."""
    answers = {**next(iter(STACKS.values())), "task_queue": request.param}
    stack = make_stack(f"tasks_{request.param}", **answers)
    with (stack.folder / stack.folder.name / "core/tasks.py").open("a") as tasks:
        tasks.write(MARK)
    serve(stack, TASK_TIME_LIMIT="3")
    yield stack
    stack.down()


def send(stack: Stack, prefix: str, number: int, seconds: float = 0.05) -> str:
    """Send tasks; return what was printed: an error, if one was raised."""
    names = f"[f'{prefix}{{n}}' for n in range({number})]"
    return stack.shell(
        f"from {stack.folder.name}.core.tasks import mark\n"
        f"try:\n    [mark.delay(name, {seconds}) for name in {names}]\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )


def done(stack: Stack, prefix: str) -> int:
    """Return how many tasks have left their row."""
    return int(stack.shell(f"print(User.objects.filter(username__startswith='{prefix}').count())"))


def all_done(stack: Stack, prefix: str, number: int) -> bool:
    """Wait until all tasks are done; say how many are, if not all."""
    found = eventually(lambda: done(stack, prefix), lambda n: n == number, SECONDS)
    assert found == number
    return True


def metric(stack: Stack, name: str) -> float:
    """Return a metric of the backend."""
    port = CATALOGUE["_app_servers"][next(iter(STACKS.values()))["app_server"]]["health_port"]
    ask = f"from urllib.request import urlopen; print(urlopen('http://127.0.0.1:{port}/metrics').read().decode())"
    lines = stack.execute("backend", "python", "-c", ask).splitlines()
    return float(next(line.split()[-1] for line in lines if line.startswith(f"{name} ")))


def healthy(stack: Stack, *services: str) -> bool:
    """Tell whether all containers of some services are healthy."""
    states = stack.inspect(*stack.containers(*services))
    return all(state["State"].get("Health", {}).get("Status") == "healthy" for state in states)


def test_the_broker_is_out_of_reach_and_keeps_what_it_has_no_room_for(server: Stack) -> None:
    services = server.config()["services"]
    assert list(services["broker"]["networks"]) == ["data"]
    assert "ports" not in services["broker"]
    ask = 'REDISCLI_AUTH="$BROKER_PASSWORD" valkey-cli --raw CONFIG GET '
    for name, value in {"maxmemory-policy": "noeviction", "appendonly": "yes"}.items():
        assert value in server.execute("broker", "sh", "-c", ask + name).split()
    assert healthy(server, "worker", "beat", "broker")
    assert metric(server, "task_broker_up") == 1


def kill(stack: Stack, service: str) -> None:
    """Start a container that had no time to stop."""
    containers = stack.containers(service)
    succeed("docker", "kill", "--signal=KILL", *containers, cwd=stack.folder)
    succeed("docker", "start", *containers, cwd=stack.folder)


def test_each_task_is_done_and_leaves_one_row_though_the_worker_is_killed(server: Stack) -> None:
    assert send(server, "kill", NUMBER) == ""
    for number in range(KILLS):
        assert eventually(lambda: metric(server, "tasks_taken"), lambda taken: taken > 0)
        kill(server, "worker")
        if LONG and number == 2:
            kill(server, "broker")
    assert all_done(server, "kill", NUMBER)
    assert eventually(lambda: metric(server, "tasks_taken"), lambda taken: taken == 0, SECONDS) == 0


@contextmanager
def without(stack: Stack, service: str) -> Iterator[None]:
    """Stop a service for a while."""
    stack.compose("stop", service)
    try:
        yield
    finally:
        stack.compose("start", service)


def test_without_the_broker_pages_are_there_and_a_task_is_refused(server: Stack) -> None:
    with without(server, "broker"):
        assert server.get().status_code == 200
        assert server.get("/health/ready").json()["status"] == "ok"
        assert "OperationalError" in send(server, "gone", 1)
        assert metric(server, "task_broker_up") == 0
        if LONG:
            time.sleep(60)
            assert server.get().status_code == 200
    assert eventually(lambda: send(server, "back", 1), lambda error: not error, 30) == ""
    assert all_done(server, "back", 1)


def test_an_import_that_runs_twice_leaves_each_reading_once(server: Stack) -> None:
    server.execute("backend", "python", "manage.py", "seed_readings", "--hours=1", "-v0")
    app = f"{server.folder.name}.drainage"
    values = server.shell(
        f"from {app}.models import Reading, Station; from {app}.tasks import parse, save\n"
        "station = Station.objects.select_related('district').first()\n"
        "row = dict(district=station.district.code, kind=station.kind, station=station.name)\n"
        "row['measured_at'] = '2021-12-02T00:00Z'\n"
        "for value in '12': save(parse([row | {'value': value}]))\n"
        "print(*Reading.objects.filter(measured_at='2021-12-02T00:00Z').values_list('value', flat=True))"
    )
    assert values == "2.00"


@only_in_the_long_form
def test_a_release_replaces_the_workers_and_loses_no_task(server: Stack) -> None:
    assert send(server, "release", 30, 0.5) == ""
    name = commit(server, "README.md", lambda text: f"{text}\n")
    succeed("bin/deploy", cwd=server.folder)
    for state in server.inspect(*server.containers("worker", "beat", "backend")):
        assert state["Config"]["Image"].endswith(f"-backend:{name}")
    assert all_done(server, "release", 30)


@only_in_the_long_form
def test_a_worker_that_does_not_start_takes_the_release_back(server: Stack) -> None:
    images = {
        row["Config"]["Image"] for row in server.inspect(*server.containers("worker", "beat"))
    }
    serving = succeed("git", "rev-parse", "--short=12", "HEAD", cwd=server.folder).strip()
    commit(server, "bin/deploy", lambda text: text.replace("READY=90", "READY=30"))
    commit(server, f"{server.folder.name}/core/tasks.py", lambda text: f"{text}\nassert False\n")
    result = subprocess.run(
        ["bin/deploy"], cwd=server.folder, capture_output=True, text=True, check=False
    )
    succeed("git", "reset", "--hard", "--quiet", serving, cwd=server.folder)
    assert result.returncode != 0
    assert "another service of the image does not start" in result.stderr
    assert result.stderr.strip().endswith(f"{serving} still serves")
    later = server.inspect(*server.containers("worker", "beat"))
    assert {row["Config"]["Image"] for row in later} == images
    assert eventually(lambda: healthy(server, "worker", "beat"), bool)


@only_in_the_long_form
def test_a_rollback_takes_the_workers_back(server: Stack) -> None:
    succeed("bin/deploy", "rollback", cwd=server.folder)
    images = server.inspect(*server.containers("worker", "beat", "backend"))
    assert len({row["Config"]["Image"] for row in images}) == 1
    assert send(server, "rollback", 1) == ""
    assert all_done(server, "rollback", 1)


@only_in_the_long_form
def test_the_queues_are_drained_and_purged_as_documented(server: Stack) -> None:
    guide = (server.folder / "docs/operations.md").read_text()
    commands = {
        name: f"docker compose {words}"
        for name, words in {
            "quiet": "stop beat",
            "stop": "stop worker",
            "start": "up --detach worker beat",
            "purge": "exec worker celery --app=config purge --force --queues=slow",
        }.items()
    }
    assert all(f"`{command}`" in guide for command in commands.values())
    for name in ("quiet", "stop"):
        succeed(*commands[name].split(), cwd=server.folder)
    assert send(server, "purged", 1) == ""
    waiting = 'task_queue_length{queue="default"}'
    assert metric(server, waiting) == 1
    succeed(*commands["start"].split(), cwd=server.folder)
    assert all_done(server, "purged", 1)
    purge = commands["purge"].replace("exec", "exec -T").split()
    assert "from 1 queue" in succeed(*purge, cwd=server.folder)


@only_in_the_long_form
def test_a_restore_stops_the_workers_and_starts_them_again(server: Stack) -> None:
    succeed("make", "backup", cwd=server.folder)
    name = re.findall(r"\d{8}T\d{6}Z", succeed("make", "backups", cwd=server.folder))[-1]
    before = {
        row["Name"]: row["State"]["StartedAt"]
        for row in server.inspect(*server.containers("worker", "beat"))
    }
    succeed("bin/restore", name, "--yes", cwd=server.folder)
    after = server.inspect(*server.containers("worker", "beat"))
    assert all(row["State"]["StartedAt"] > before[row["Name"]] for row in after)
    assert eventually(lambda: healthy(server, "worker", "beat"), bool)
