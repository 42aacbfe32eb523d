"""A project on a swarm of one machine: an update lets no visitor down, and a bad one goes back by itself."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.stack.conftest import Stack, commit, eventually, free_port
from tests.stack.test_deploy import style, visitors
from tests.support.catalogue import CATALOGUE
from tests.support.commands import run, succeed
from tests.support.projects import env_values
from tests.support.stacks import STACKS, only_in_the_long_form
from tests.test_swarm import DEPLOY

pytestmark = [pytest.mark.stack, only_in_the_long_form]

NAME = "swarmed"
# What stands before the swarm. It asks the containers themselves, for kernels without the swarm's own balancer.
BALANCER = """
events {}
http {
    resolver 127.0.0.11 valid=1s;
    server {
        listen 8080;
        location / {
            set $site tasks.nginx;
            proxy_pass http://$site:8080;
            proxy_connect_timeout 2s;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }
    }
}
"""
SHOWN = re.compile(r"(?m)^docker (?:swarm|node update) .*?(?= {2,}#)")


@dataclass
class Swarm:
    """A manager, and the project on it."""

    stack: Stack
    port: int = field(default_factory=free_port)

    def deploy(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run bin/deploy, which may fail."""
        env = {"HTTP_PORT": str(self.port), "BACKEND_CPUS": "0.5"}
        return run("bin/deploy", *words, cwd=self.stack.folder, env=env)

    def release(self, *words: str) -> str:
        """Release, and fail unless it succeeds; return the last line."""
        result = self.deploy(*words)
        assert result.returncode == 0, result.stdout[-3000:]
        return result.stdout.splitlines()[-1]

    def docker(self, *words: str) -> str:
        """Run docker; return what it printed."""
        return succeed("docker", *words, cwd=self.stack.folder)


@contextmanager
def swarming(stack: Stack, address: str = "127.0.0.1") -> Iterator[Swarm]:
    """Make this machine a swarm's manager with the data, as documented; it leaves with the test."""
    own = Swarm(stack)
    init, label = SHOWN.findall((stack.folder / "docs/swarm.md").read_text())
    try:
        own.docker(*init.replace("ADDRESS", address).split()[1:])
        assert "no machine has the data" in own.deploy().stdout
        node = own.docker("node", "ls", "--format", "{{.Hostname}}").strip()
        own.docker(*label.replace("NAME", node).split()[1:])
        yield own
    finally:
        name = stack.folder.name
        run("docker", "service", "rm", f"{name}_balancer", cwd=stack.folder)
        run("docker", "stack", "rm", name, cwd=stack.folder)
        eventually(
            lambda: own.docker("ps", "--all", "--quiet", "--filter", f"name={name}_"),
            lambda ids: not ids,
        )
        run("docker", "swarm", "leave", "--force", cwd=stack.folder)
        volumes = own.docker("volume", "ls", "--quiet", "--filter", f"name={name}_").split()
        images = own.docker(
            "image", "ls", "--quiet",
            "--filter", f"reference={name}*", "--filter", f"reference=*/{name}*",
        ).split()  # fmt: skip
        run("docker", "volume", "rm", *volumes, cwd=stack.folder)
        run("docker", "image", "rm", "--force", *images, cwd=stack.folder)


def balance(own: Swarm) -> None:
    """Start what stands before the swarm, and wait until the site answers through it."""
    name = own.stack.folder.name
    create = ["docker", "config", "create", f"{name}_balancer", "-"]
    assert run(*create, cwd=own.stack.folder, text=BALANCER).returncode == 0
    own.docker(
        "service", "create", "--quiet", "--detach", "--name", f"{name}_balancer", "--network", f"{name}_web",
        "--config", f"source={name}_balancer,target=/etc/nginx/nginx.conf",
        "--constraint", "node.labels.data == true",
        "--publish", f"mode=host,published={own.stack.port},target=8080", "--no-resolve-image",
        CATALOGUE["_images"]["nginx"],
    )  # fmt: skip
    assert eventually(own.stack.ready, lambda status: status == 200) == 200


@pytest.fixture(scope="module")
def swarm(make_stack: Callable[..., Stack]) -> Iterator[Swarm]:
    """Return a swarm of this machine alone with a first release."""
    answers = {**next(iter(STACKS.values())), "deploy": DEPLOY}
    stack = make_stack(NAME, **answers)
    succeed("git", "init", "--quiet", cwd=stack.folder)
    commit(stack, "README.md", lambda text: f"{text}\n")
    refused = Swarm(stack).deploy()
    assert refused.stdout.splitlines()[-1].startswith("deploy: this machine manages no swarm")
    with swarming(stack) as own:
        own.release()
        balance(own)
        yield own


def test_an_update_lets_no_visitor_down(swarm: Swarm) -> None:
    path = f"{NAME}/core/static/core/site.css"
    with visitors(swarm.stack) as those:
        name = commit(swarm.stack, path, style(1))
        assert swarm.release() == f"deploy: {name} serves"
    assert len(those.files) > 1
    assert swarm.deploy("run", "python", "manage.py", "migrate", "--check").returncode == 0


def release_a_bad_one(own: Swarm) -> None:
    """Release what starts, but is never ready; the swarm goes back by itself."""
    name = own.stack.folder.name
    serving = own.release("releases").split()[0]
    with visitors(own.stack):
        commit(
            own.stack,
            "config/health.py",
            lambda text: text.replace("self.migrated or", "False and"),
        )
        result = own.deploy()
    last = result.stdout.splitlines()[-1]
    assert result.returncode == 1
    assert f"{name}_backend does not become ready" in last
    assert last.endswith(f"{serving} still serves")
    form = "{{.Spec.TaskTemplate.ContainerSpec.Image}}"
    image = own.docker("service", "inspect", "--format", form, f"{name}_nginx")
    wanted = env_values(own.stack.folder / ".env").get("IMAGE", name)
    assert image.strip() == f"{wanted}-nginx:{serving}"


def test_a_bad_release_goes_back_by_itself(swarm: Swarm) -> None:
    release_a_bad_one(swarm)


def test_migrations_that_fail_leave_the_old_release(swarm: Swarm) -> None:
    serving = swarm.release("releases").split()[0]
    commit(
        swarm.stack,
        f"{NAME}/accounts/migrations/0001_initial.py",
        lambda text: f"{text}\nraise SystemExit('no such table')\n",
    )
    result = swarm.deploy()
    last = result.stdout.splitlines()[-1]
    assert (result.returncode, "the migrations fail: no such table" in last) == (1, True), last
    assert last.endswith(f"{serving} still serves")
    assert swarm.stack.get("/health/ready").status_code == 200
