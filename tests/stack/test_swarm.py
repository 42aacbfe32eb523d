"""A project on a swarm of one machine: an update lets no visitor down, and a bad one goes back by itself."""

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.stack.conftest import Stack, commit, eventually, free_port
from tests.stack.test_deploy import style, visitors
from tests.support.catalogue import CATALOGUE
from tests.support.commands import run, succeed
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


@pytest.fixture(scope="module")
def swarm(make_stack: Callable[..., Stack]) -> Iterator[Swarm]:
    """Return a swarm with a first release, made as documented."""
    answers = {**next(iter(STACKS.values())), "deploy": DEPLOY}
    stack = make_stack(NAME, **answers)
    own = Swarm(stack)
    succeed("git", "init", "--quiet", cwd=stack.folder)
    commit(stack, "README.md", lambda text: f"{text}\n")
    refused = own.deploy()
    assert refused.stdout.splitlines()[-1].startswith("deploy: this machine manages no swarm")
    init, label = SHOWN.findall((stack.folder / "docs/swarm.md").read_text())
    own.docker(*init.replace("ADDRESS", "127.0.0.1").split()[1:])
    try:
        assert "no machine has the data" in own.deploy().stdout
        node = own.docker("node", "ls", "--format", "{{.Hostname}}").strip()
        own.docker(*label.replace("NAME", node).split()[1:])
        own.release()
        create = ["docker", "config", "create", f"{NAME}_balancer", "-"]
        assert run(*create, cwd=stack.folder, text=BALANCER).returncode == 0
        own.docker(
            "service", "create", "--quiet", "--name", f"{NAME}_balancer", "--network", f"{NAME}_web",
            "--config", f"source={NAME}_balancer,target=/etc/nginx/nginx.conf",
            "--publish", f"mode=host,published={stack.port},target=8080", "--no-resolve-image",
            CATALOGUE["_images"]["nginx"],
        )  # fmt: skip
        assert eventually(stack.ready, lambda status: status == 200) == 200
        yield own
    finally:
        run("docker", "service", "rm", f"{NAME}_balancer", cwd=stack.folder)
        run("docker", "stack", "rm", NAME, cwd=stack.folder)
        eventually(
            lambda: own.docker("ps", "--all", "--quiet", "--filter", f"name={NAME}_"),
            lambda ids: not ids,
        )
        run("docker", "swarm", "leave", "--force", cwd=stack.folder)
        volumes = own.docker("volume", "ls", "--quiet", "--filter", f"name={NAME}_").split()
        images = own.docker("image", "ls", "--quiet", f"{NAME}*").split()
        run("docker", "volume", "rm", *volumes, cwd=stack.folder)
        run("docker", "image", "rm", "--force", *images, cwd=stack.folder)


def test_an_update_lets_no_visitor_down(swarm: Swarm) -> None:
    path = f"{NAME}/core/static/core/site.css"
    with visitors(swarm.stack) as those:
        name = commit(swarm.stack, path, style(1))
        assert swarm.release() == f"deploy: {name} serves"
    assert len(those.files) > 1
    assert swarm.deploy("run", "python", "manage.py", "migrate", "--check").returncode == 0


def test_a_bad_release_goes_back_by_itself(swarm: Swarm) -> None:
    serving = swarm.release("releases").split()[0]
    # It starts, but is never ready.
    with visitors(swarm.stack):
        commit(
            swarm.stack,
            "config/health.py",
            lambda text: text.replace("self.migrated or", "False and"),
        )
        result = swarm.deploy()
    last = result.stdout.splitlines()[-1]
    assert result.returncode == 1
    assert f"{NAME}_backend does not become ready" in last
    assert last.endswith(f"{serving} still serves")
    image = swarm.docker(
        "service",
        "inspect",
        "--format",
        "{{.Spec.TaskTemplate.ContainerSpec.Image}}",
        f"{NAME}_nginx",
    )
    assert image.strip() == f"{NAME}-nginx:{serving}"


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
