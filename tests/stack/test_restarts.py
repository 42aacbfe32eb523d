"""Containers that restart or die, one by one and all at once: the site comes back by itself, with its data.

The tests of a stack run in order, on the same containers.
"""

import re
import time
from collections.abc import Callable, Iterator

import pytest

from tests.stack.conftest import BACKUPS, ONCE, Stack, eventually
from tests.support.catalogue import CATALOGUE
from tests.support.commands import succeed
from tests.support.stacks import STACKS, servers

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module", params=STACKS)
def answers(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the answers for one stack after the other."""
    return STACKS[request.param]


@pytest.fixture(scope="module")
def stack(answers: dict[str, str], make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """Return a stack with a user in it, from a checkout that only its owner can read."""
    stack = make_stack(f"restart_{answers['database']}", **answers)
    succeed("chmod", "-R", "go-rwx", stack.folder, cwd=stack.folder)
    stack.up()
    stack.add_administrator()
    yield stack
    stack.down()


def staying(stack: Stack) -> dict[str, str]:
    """Return the long-running containers by the names of their services."""
    services = sorted(set(stack.config()["services"]) - ONCE)
    containers = {service: stack.containers(service) for service in services}
    assert all(len(names) == 1 for names in containers.values()), containers
    return {service: name for service, (name,) in containers.items()}


def ill(stack: Stack, containers: dict[str, str]) -> dict[str, str]:
    """Return the containers that are not running and healthy, with what Docker knows about them."""
    states = zip(containers, stack.inspect(*containers.values()), strict=True)
    health = {
        service: state["State"]["Health"]["Status"]
        if state["State"]["Running"] and "Health" in state["State"]
        else state["State"]["Status"]
        for service, state in states
    }
    return {service: word for service, word in health.items() if word not in ("healthy", "running")}


def check_that_it_comes_back(stack: Stack, containers: dict[str, str], event: str) -> None:
    """Fail unless the page, the health check and the data are back, each in time."""
    assert eventually(stack.status, lambda status: status == 200, 30) == 200, event
    left = eventually(lambda: ill(stack, containers), lambda found: not found, 60)
    assert left == {}, event
    assert stack.ready() == 200, event
    assert stack.shell("print('users', User.objects.count())") == "users 1", event
    # Docker counts only restarts that nobody asked for.
    for service, state in zip(containers, stack.inspect(*containers.values()), strict=True):
        assert not state["State"]["Restarting"], f"{event}: {service}"
        assert state["RestartCount"] == 0, f"{event}: {service}"


def restart(stack: Stack, *containers: str) -> None:
    """Restart containers as a reboot does: each is asked to stop first."""
    succeed("docker", "restart", *containers, cwd=stack.folder)


def kill(stack: Stack, *containers: str) -> None:
    """Start containers that had no time to stop, as after a power cut."""
    succeed("docker", "kill", "--signal=KILL", *containers, cwd=stack.folder)
    succeed("docker", "start", *containers, cwd=stack.folder)


def test_a_checkout_that_only_its_owner_can_read_starts(stack: Stack) -> None:
    assert stack.folder.stat().st_mode & 0o077 == 0
    assert stack.get().status_code == 200


@pytest.mark.parametrize("stop", [restart, kill], ids=lambda stop: stop.__name__)
def test_it_survives_the_end_of_each_service_alone(stop: Callable[..., None], stack: Stack) -> None:
    containers = staying(stack)
    for service, container in containers.items():
        if service in BACKUPS:
            continue  # Nobody needs them for a page; they end with the others, below.
        stop(stack, container)
        check_that_it_comes_back(stack, containers, f"{stop.__name__} of {service}")


@pytest.mark.parametrize("stop", [restart, kill], ids=lambda stop: stop.__name__)
def test_it_survives_the_end_of_all_services_together(
    stop: Callable[..., None], stack: Stack
) -> None:
    containers = staying(stack)
    stop(stack, *containers.values())
    check_that_it_comes_back(stack, containers, f"{stop.__name__} of all")


def volumes(stack: Stack) -> set[str]:
    """Return the volumes of a project, by name."""
    label = f"label=com.docker.compose.project={stack.config()['name']}"
    words = ["docker", "volume", "ls", "--quiet", "--filter", label]
    return set(succeed(*words, cwd=stack.folder).split())


def test_down_and_up_leave_no_volume_without_a_name(stack: Stack) -> None:
    named = volumes(stack)
    stack.compose("down")
    assert volumes(stack) == named
    stack.up()
    mounts = [mount for state in stack.inspect() for mount in state["Mounts"]]
    mounted = {mount["Name"] for mount in mounts if mount["Type"] == "volume"}
    assert not [name for name in mounted if re.fullmatch("[0-9a-f]{64}", name)]
    assert mounted <= named
    assert stack.shell("print('users', User.objects.count())") == "users 1"


def test_a_password_that_the_old_volume_does_not_have_is_refused(
    stack: Stack, answers: dict[str, str]
) -> None:
    if answers["database"] not in servers(answers, CATALOGUE):
        pytest.skip("the database is a file")
    stack.env["DATABASE_PASSWORD"] = "one-that-was-never-set"
    try:
        started = time.monotonic()
        result = stack.attempt("up", "--wait")
        took = time.monotonic() - started
        logs = stack.compose("logs", "--no-log-prefix", "release")
    finally:
        del stack.env["DATABASE_PASSWORD"]
        stack.up()
    assert result.returncode != 0
    assert f"The database at {answers['database']} refuses DATABASE_URL" in logs
    assert ".env" in logs
    assert "Traceback" not in logs
    # Soon after the database's own start: one that is silent would get 60 seconds more.
    assert took < 30
    assert stack.ready() == 200
