"""Tasks on a swarm of one machine: each is done and leaves one trace, whatever is updated and whatever dies."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from tests.stack.conftest import Stack, commit, eventually
from tests.stack.test_swarm import Swarm, swarming
from tests.stack.test_tasks import MARK, QUEUES, all_done, metric, send
from tests.support.catalogue import CATALOGUE
from tests.support.commands import succeed
from tests.support.stacks import STACKS, only_in_the_long_form
from tests.test_swarm import DEPLOY

pytestmark = [pytest.mark.stack, only_in_the_long_form]

NAME = "swarmed_tasks"
(QUEUE,) = QUEUES
PROCESSES = CATALOGUE["_task_queues"][QUEUE]["processes"]


class Site(Stack):
    """A project whose backend is asked as its guide says."""

    def execute(self, service: str, *words: str, check: bool = True) -> str:
        """Run a command in a backend; return what it printed."""
        assert (service, check) == ("backend", True)
        return succeed("bin/deploy", "run", *words, cwd=self.folder)


@pytest.fixture(scope="module")
def swarm(make_stack: Callable[..., Stack]) -> Iterator[Swarm]:
    """Return a swarm of this machine alone with a first release whose tasks come back soon."""
    answers = {**next(iter(STACKS.values())), "task_queue": QUEUE, "deploy": DEPLOY}
    made = make_stack(NAME, **answers)
    with (made.folder / NAME / "core/tasks.py").open("a") as tasks:
        tasks.write(MARK)
    with (made.folder / ".env").open("a") as env:
        env.write("BACKENDS=1\nNGINX=1\nTASK_TIME_LIMIT=3\n")
    succeed("git", "init", "--quiet", cwd=made.folder)
    commit(made, "README.md", lambda text: f"{text}\n")
    with swarming(Site(folder=made.folder)) as own:
        own.release()
        yield own


def replicas(own: Swarm) -> dict[str, str]:
    """Return how many containers each service has, of how many."""
    rows = own.docker("service", "ls", "--format", "{{.Name}} {{.Replicas}}").splitlines()
    return {row.split()[0].removeprefix(f"{NAME}_"): row.split()[1] for row in rows}


def containers(own: Swarm, service: str, *words: str) -> list[dict[str, Any]]:
    """Return what Docker knows about the containers of a service."""
    label = f"label=com.docker.swarm.service.name={NAME}_{service}"
    return own.stack.inspect(*own.docker("ps", "--quiet", "--filter", label, *words).split())


def images(own: Swarm, service: str) -> set[str]:
    """Return the images of the containers of a service."""
    return {container["Config"]["Image"] for container in containers(own, service)}


def test_a_task_is_done_by_a_worker_with_a_broker_that_keeps_it(swarm: Swarm) -> None:
    assert {replicas(swarm)[name] for name in (*PROCESSES, "broker")} == {"1/1"}
    assert send(swarm.stack, "one", 1) == ""
    assert all_done(swarm.stack, "one", 1)
    assert metric(swarm.stack, "task_broker_up") == 1
    (broker,) = containers(swarm, "broker")
    assert not [line for line in broker["Config"]["Env"] if "PASSWORD" in line]
    ask = 'REDISCLI_AUTH=$(cat /run/secrets/BROKER_PASSWORD) valkey-cli --raw CONFIG GET "*"'
    settings = swarm.docker("exec", broker["Id"], "sh", "-c", ask).splitlines()
    assert settings[settings.index("maxmemory-policy") + 1] == "noeviction"
    assert settings[settings.index("appendonly") + 1] == "yes"


def test_an_update_loses_no_task_and_has_one_beat_at_a_time(swarm: Swarm) -> None:
    assert send(swarm.stack, "update", 60, 0.5) == ""
    name = commit(swarm.stack, "README.md", lambda text: f"{text}\n")
    assert swarm.release() == f"deploy: {name} serves"
    for service in PROCESSES:
        assert images(swarm, service) == {f"{NAME}:{name}"}
    assert all_done(swarm.stack, "update", 60)
    assert eventually(lambda: metric(swarm.stack, "tasks_taken"), lambda taken: taken == 0) == 0
    states = [container["State"] for container in containers(swarm, "beat", "--all")]
    assert len(states) > 1
    times = sorted((state["StartedAt"], state["FinishedAt"]) for state in states)
    for (_, finished), (started, _) in pairwise(times):
        assert datetime.fromisoformat(finished[:19]) <= datetime.fromisoformat(started[:19])


def test_a_worker_that_is_killed_hands_its_tasks_back(swarm: Swarm) -> None:
    assert send(swarm.stack, "kill", 60, 0.5) == ""
    assert eventually(lambda: metric(swarm.stack, "tasks_taken"), lambda taken: taken > 0)
    (worker,) = containers(swarm, "worker")
    swarm.docker("kill", "--signal=KILL", worker["Id"])
    assert all_done(swarm.stack, "kill", 60)
    assert eventually(lambda: metric(swarm.stack, "tasks_taken"), lambda taken: taken == 0) == 0


def test_a_broker_that_is_killed_keeps_what_waits(swarm: Swarm) -> None:
    assert send(swarm.stack, "broker", 60, 0.5) == ""
    (broker,) = containers(swarm, "broker")
    swarm.docker("kill", "--signal=KILL", broker["Id"])
    assert all_done(swarm.stack, "broker", 60)


def test_a_worker_that_does_not_start_takes_the_release_back(swarm: Swarm) -> None:
    serving = swarm.release("releases").split()[0]
    commit(swarm.stack, f"{NAME}/core/tasks.py", lambda text: f"{text}\nraise SystemExit('no')\n")
    result = swarm.deploy()
    succeed("git", "reset", "--hard", "--quiet", serving, cwd=swarm.stack.folder)
    last = result.stdout.splitlines()[-1]
    assert result.returncode == 1
    assert f"{NAME}_worker does not become ready" in last
    assert last.endswith(f"{serving} still serves")
    for service in ("backend", *PROCESSES):
        wanted = {f"{NAME}:{serving}"}
        assert eventually(partial(images, swarm, service), wanted.__eq__) == wanted
    assert send(swarm.stack, "after", 1) == ""
    assert all_done(swarm.stack, "after", 1)


def test_a_rollback_takes_the_workers_back(swarm: Swarm) -> None:
    rows = swarm.deploy("releases").stdout.splitlines()
    name = rows[-2].split()[0]
    assert swarm.release("rollback") == f"deploy: {name} serves"
    for service in ("backend", *PROCESSES):
        assert images(swarm, service) == {f"{NAME}:{name}"}
    assert send(swarm.stack, "rollback", 1) == ""
    assert all_done(swarm.stack, "rollback", 1)


def test_the_queues_are_drained_and_purged_as_documented(swarm: Swarm) -> None:
    guide = (swarm.stack.folder / "docs/swarm.md").read_text()
    commands = {
        "quiet": f"docker service scale {NAME}_beat=0",
        "stop": f"docker service scale {NAME}_worker=0",
        "purge": "bin/deploy run celery --app=config purge --force --queues=slow",
        "start": "bin/deploy",
    }
    assert all(f"`{command}`" in guide for command in commands.values())
    for name in ("quiet", "stop"):
        succeed(*commands[name].split(), cwd=swarm.stack.folder)
    assert [replicas(swarm)[name] for name in PROCESSES] == ["0/0", "0/0"]
    assert send(swarm.stack, "purged", 1) == ""
    assert metric(swarm.stack, 'task_queue_length{queue="default"}') == 1
    assert "from 1 queue" in succeed(*commands["purge"].split(), cwd=swarm.stack.folder)
    swarm.release()
    assert all_done(swarm.stack, "purged", 1)
    assert [replicas(swarm)[name] for name in PROCESSES] == ["1/1", "1/1"]
