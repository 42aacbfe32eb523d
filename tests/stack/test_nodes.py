"""A project on a swarm of three engines: this machine's, and two in containers; one of them dies.

The manager is this machine, which has the data. The others pull from a registry, which each of them, too, finds at an
address of its own: Docker asks for no TLS there.
"""

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.stack.conftest import PASSWORD, Stack, commit, eventually, free_port
from tests.stack.test_deploy import RELEASES, style, visitors
from tests.stack.test_swarm import Swarm, balance, release_a_bad_one, swarming
from tests.support.commands import run, succeed
from tests.support.stacks import STACKS, only_in_the_long_form
from tests.test_swarm import DEPLOY

pytestmark = [pytest.mark.stack, only_in_the_long_form]

NAME = "nodes"
MACHINE = """
FROM python:3.14
RUN apt-get update && \
    apt-get install --yes --no-install-recommends docker-cli docker.io docker-registry iproute2 iptables
"""
REGISTRY = """
version: 0.1
storage: {{filesystem: {{rootdirectory: /srv/registry}}}}
http: {{addr: "{address}"}}
"""
# What an engine that was killed leaves behind keeps the next one from starting.
LEFT = "/var/run/docker.pid /run/docker/containerd/containerd.pid"
OTHERS = ("second", "third")


@pytest.fixture(scope="module")
def swarm(make_stack: Callable[..., Stack]) -> Iterator[Swarm]:
    """Return a swarm of three machines, with a first release on each."""
    stack = make_stack(NAME, **next(iter(STACKS.values())), deploy=DEPLOY)
    succeed("git", "init", "--quiet", cwd=stack.folder)
    commit(stack, "README.md", lambda text: f"{text}\n")
    port = free_port()
    with (stack.folder / ".env").open("a") as env:
        env.write(f"IMAGE=127.0.0.1:{port}/{NAME}\nBACKENDS=3\nNGINX=3\n")

    def docker(*words: str) -> str:
        return succeed("docker", *words, cwd=stack.folder).strip()

    def machine(name: str, address: str, *words: str, more: str) -> None:
        config = REGISTRY.format(address=address)
        script = f"echo '{config}' >/registry.yml; docker-registry serve /registry.yml{more}"
        docker("run", "--detach", "--network", NAME, "--volume", f"{NAME}:/srv/registry",
               "--name", f"{NAME}-{name}", *words, NAME, "sh", "-c", script)  # fmt: skip

    try:
        docker("network", "create", NAME)
        build = run("docker", "build", "--tag", NAME, "-", cwd=stack.folder, text=MACHINE)
        assert build.returncode == 0, build.stdout
        here = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", NAME)
        machine("registry", ":5000", "--publish", f"127.0.0.1:{port}:5000", more="")
        for name in OTHERS:
            words = ("--privileged", "--hostname", name, "--volume", "/var/lib/docker")
            machine(name, f"127.0.0.1:{port}", *words, more=f" & rm -f {LEFT}; exec dockerd")
        with swarming(stack, here) as own:
            token = docker("swarm", "join-token", "--quiet", "worker")
            for name in OTHERS:
                inside = ("exec", f"{NAME}-{name}", "docker")
                answers = partial(run, "docker", *inside, "info", cwd=stack.folder)
                assert eventually(answers, lambda result: result.returncode == 0).returncode == 0
                docker(*inside, "swarm", "join", "--token", token, f"{here}:2377")
            own.release()
            balance(own)
            yield own
    finally:
        for name in ("registry", *OTHERS):
            run("docker", "rm", "--force", "--volumes", f"{NAME}-{name}", cwd=stack.folder)
        for kind in ("network", "volume", "image"):
            run("docker", kind, "rm", NAME, cwd=stack.folder)


def machines(own: Swarm, service: str) -> list[str]:
    """Return on which machines a service runs, once for each of its containers."""
    words = ("service", "ps", "--filter", "desired-state=running", "--format")
    rows = own.docker(*words, "{{.Node}} {{.CurrentState}}", f"{NAME}_{service}").splitlines()
    return sorted(row.split()[0] for row in rows if row.split()[1] == "Running")


def test_updates_let_no_visitor_down(swarm: Swarm) -> None:
    for service in ("backend", "nginx"):
        assert len(set(machines(swarm, service))) == 3
    with visitors(swarm.stack) as those:
        for number in range(RELEASES):
            name = commit(swarm.stack, f"{NAME}/core/static/core/site.css", style(number))
            assert swarm.release() == f"deploy: {name} serves"
        assert eventually(lambda: sum(those.answers.values()), lambda n: n > 20_000, 3600) > 20_000
    assert len(those.files) > RELEASES


def test_a_bad_release_goes_back_by_itself(swarm: Swarm) -> None:
    release_a_bad_one(swarm)


def test_a_machine_that_dies_is_missed_for_seconds(swarm: Swarm) -> None:
    stack = swarm.stack
    words = ("python", "manage.py", "createsuperuser", "--no-input", "--username=admin")
    env = f"DJANGO_SUPERUSER_PASSWORD={PASSWORD}"
    swarm.deploy("run", "env", env, *words, "--email=admin@example.com")
    with stack.client() as client:
        stack.log_in(client)
        assert client.get("/admin/").status_code == 200
        swarm.docker("kill", f"{NAME}-third")
        # Each backend's health check allows this much, and so does the list of machines.
        assert eventually(lambda: {stack.status() for _ in range(20)}, {200}.__eq__, 30) == {200}
        # Who was logged in is.
        assert client.get("/admin/").status_code == 200
    for service in ("backend", "nginx"):
        running = eventually(
            partial(machines, swarm, service),
            lambda names: len(names) == 3 and "third" not in names,
            120,
        )
        assert len(running) == 3
        assert "third" not in running


def test_the_machine_comes_back(swarm: Swarm) -> None:
    swarm.docker("start", f"{NAME}-third")
    words = ("node", "inspect", "--format", "{{.Status.State}}", "third")
    assert eventually(lambda: swarm.docker(*words).strip(), "ready".__eq__) == "ready"
    path = f"{NAME}/core/static/core/site.css"
    name = commit(swarm.stack, path, style(-1))
    with visitors(swarm.stack):
        assert swarm.release() == f"deploy: {name} serves"
    assert "third" in machines(swarm, "backend")
