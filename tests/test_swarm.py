"""What runs on a Docker Swarm: files that Docker takes, and releases that the old one survives."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.catalogue import CATALOGUE, CHOICES
from tests.support.commands import run, succeed
from tests.support.projects import Bake, env_values

Service = dict[str, Any]

(DEPLOY,) = [name for name, entry in CATALOGUE["_deploys"].items() if entry["stack"]]
# Each database and each cache.
SERVERS = [
    {"database": database, "cache": CHOICES["cache"][index % len(CHOICES["cache"])]}
    for index, database in enumerate(CHOICES["database"])
]
DATA = {"constraints": ["node.labels.data == true"]}


@pytest.fixture(scope="module")
def docker() -> str:
    """Return Docker's client; it needs no engine to read files."""
    found = shutil.which("docker")
    if not found:
        reason = "Docker's client reads the stacks: apt-get install docker-cli"
        (pytest.fail if os.environ.get("DRYDOCK_REQUIRE_DOCKER") else pytest.skip)(reason)
    return found


def stack(project: Path, docker: str) -> dict[str, Service]:
    """Return the services of a project's stack, as Docker reads them."""
    found: dict[str, Service] = {}
    for path in project.glob("docker-stack*.yml"):
        names = yaml.safe_load(path.read_text()).get("secrets", {})
        env = {**env_values(project / ".env"), "IMAGE": "site", "RELEASE": "r1", "SERVER_NAME": "s"}
        env |= {f"{name}_NAME": f"site_{name}" for name in names}
        command = [docker, "stack", "config", "--compose-file", path.name]
        config = yaml.safe_load(succeed(*command, cwd=project, env=env))
        assert all(secret["external"] for secret in config.get("secrets", {}).values())
        found |= config["services"]
    return found


@pytest.fixture(scope="module", params=SERVERS, ids=lambda answers: "-".join(answers.values()))
def services(request: pytest.FixtureRequest, bake: Bake, docker: str) -> dict[str, Service]:
    """Return the services of a stack, for each database and cache."""
    return stack(bake(**request.param, deploy=DEPLOY), docker)


def test_updates_start_first_and_go_back_by_themselves(services: dict[str, Service]) -> None:
    for name in ("backend", "nginx"):
        deploy = services[name]["deploy"]
        alone = name == "backend" and "placement" in deploy
        assert deploy["update_config"]["failure_action"] == "rollback"
        order = "stop-first" if alone else "start-first"
        assert {deploy[key]["order"] for key in ("update_config", "rollback_config")} == {order}
        assert deploy["replicas"] == (1 if alone else 2)
        assert services[name]["healthcheck"]["test"]
    assert services["nginx"]["image"] == "site-nginx:r1"
    assert services["nginx"]["environment"]["BACKEND"] == "tasks.backend"
    assert services["migrate"]["deploy"]["mode"] == "replicated-job"


def test_no_service_has_rights_or_a_secret_in_its_environment(services: dict[str, Service]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        environment = service.get("environment", {})
        secret = [key for key in environment if key.endswith(("PASSWORD", "SECRET_KEY", "_DSN"))]
        assert secret == [], name
        files = {value for key, value in environment.items() if key.endswith("_FILE")}
        mounted = {f"/run/secrets/{entry['source']}" for entry in service.get("secrets", [])}
        assert files <= mounted, name


def test_what_has_data_stays_on_its_machine(services: dict[str, Service]) -> None:
    with_data = {
        name for name, service in services.items() if service["deploy"].get("placement", {}) == DATA
    }
    volumes = {
        name
        for name, service in services.items()
        for volume in service.get("volumes", [])
        if volume.get("source", "uploads") not in ("uploads", "run")
    }
    assert {"backup", "backup-files"} <= volumes <= with_data


def test_a_backend_gets_what_compose_gives_it(bake: Bake, docker: str) -> None:
    for answers in SERVERS:
        project = bake(**answers, deploy=DEPLOY)
        compose = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]
        services = stack(project, docker)
        environment = services["backend"]["environment"]
        names = {name.removesuffix("_FILE") for name in environment}
        assert names == set(compose["backend"]["environment"])
        assert {*compose["nginx-release"]["environment"]} - {"DEPLOYMENT"} == {
            *services["nginx"]["environment"]
        } - {"BACKEND"}
        limits = compose["backend"]["deploy"]["resources"]["limits"]
        assert set(services["backend"]["deploy"]["resources"]["limits"]) == set(limits)


# A swarm that writes down what it is told; files say how its services get on.
SWARM = r"""#!/bin/bash
here=$(dirname "$0")
case "$1 $2" in "stack config") exec DOCKER "$@" ;; esac
if [ "$1 $2" = "stack deploy" ]; then
    file=${*: -2:1}
    if [ "$file" = - ]; then cat; else cat "$file"; fi >"$here/stack"
    services=$(awk '/^[a-z]/ {part = $1} part == "services:" && /^  [a-z]/ {print $1}' "$here/stack")
    echo "deploy" $services >>"$here/log"
    [[ $services != *backend:* ]] || touch "$here/deployed"
    exit
fi
cd "$here"
case "$*" in
    "node ls --quiet"*) echo node ;;
    "secret inspect"*) exit 1 ;;
    "secret create"*) cat >>secrets; echo "${*: -2:1}" >>names ;;
    "service ps --format"*) cat job ;;
    "service ps --no-trunc --format {{.CurrentState}}"*) cat job ;;
    "service ps"*) echo "id1 task: non-zero exit (1)" ;;
    "service logs"*) cat logs ;;
    "service ls"*) [[ "$*" != *backend* ]] || echo "my_site_backend 2/2"; echo "my_site_nginx 2/2" ;;
    *Image*backend*) cat serving ;;
    *UpdateStatus*) [ ! -e deployed ] || cat update ;;
    *TaskTemplate*) [ ! -e deployed ] && echo old || echo new ;;
    "service rollback"*|"service rm"*) echo "$*" >>log ;;
    "run "*) cat "migrations-${*: -5:1}" ;;
    "manifest inspect"*) exit 1 ;;
    build*|push*) echo "$*" >>builds ;;
esac
"""


class Swarm:
    """A project, and a program that stands in for Docker."""

    def __init__(self, project: Path, folder: Path, docker: str) -> None:
        self.project = folder / "project"
        shutil.copytree(project, self.project)
        self.folder = folder
        (folder / "docker").write_text(SWARM.replace("DOCKER", docker))
        (folder / "docker").chmod(0o755)
        self.says(job="Complete 1 second ago", logs="", serving="my_site:r0", update="completed T1")

    def says(self, **files: str) -> None:
        """Let Docker answer from now on what is given."""
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def deploy(self, *words: str, **env: str) -> tuple[int, str, list[str]]:
        """Run bin/deploy; return its status, its last line and what the swarm was told."""
        (self.folder / "deployed").unlink(missing_ok=True)
        (self.folder / "log").write_text("")
        path = f"{self.folder}:{os.environ['PATH']}"
        environment = {"RELEASE": "r1", "PATH": path, **env}
        result = run("bin/deploy", *words, cwd=self.project, env=environment)
        lines = result.stdout.splitlines() or [""]
        return result.returncode, lines[-1], (self.folder / "log").read_text().splitlines()


@pytest.fixture
def swarm(bake: Bake, tmp_path: Path, docker: str) -> Swarm:
    """Return a swarm in which a release serves."""
    return Swarm(bake(**SERVERS[0], deploy=DEPLOY), tmp_path, docker)


SERVER = f"deploy {SERVERS[0]['database']}: {SERVERS[0]['cache']}:"
MIGRATE = ["service rm my_site_migrate", "deploy migrate:"]
SERVE = "deploy backend: backup: backup-files: nginx:"
BACK = [f"service rollback --quiet my_site_{name}" for name in ("backend", "nginx")]


def test_a_release_migrates_once_before_the_update(swarm: Swarm) -> None:
    (swarm.project / ".releases").write_text("r0 T0 first\n")
    assert swarm.deploy() == (0, "deploy: r1 serves", [SERVER, *MIGRATE, SERVE])
    assert (swarm.project / ".releases").read_text().splitlines()[1].startswith("r1 ")
    assert "site:r1" in (swarm.folder / "stack").read_text()
    names = (swarm.folder / "names").read_text().splitlines()
    assert all(len(name) <= 64 for name in names)
    secrets = (swarm.folder / "secrets").read_text()
    assert env_values(swarm.project / ".env")["DJANGO_SECRET_KEY"] in secrets
    assert "mysql://my_site:" in secrets
    # Another value, another name; the same, the same.
    (swarm.folder / "names").unlink()
    swarm.deploy(EMAIL_URL="smtp://mail.example.com")
    again = (swarm.folder / "names").read_text().splitlines()
    assert [name for name in again if name not in names] == [
        name for name in again if "EMAIL_URL" in name
    ]


def test_the_first_release_waits_for_its_tasks(swarm: Swarm) -> None:
    swarm.says(update="", serving="")
    assert swarm.deploy()[:2] == (0, "deploy: r1 serves")


@pytest.mark.parametrize(
    ("files", "reason", "told"),
    [
        (
            {"job": "Failed 1 second ago", "logs": "x\nCommandError: no such table\n\n"},
            "the migrations fail: CommandError: no such table (task: non-zero exit (1))",
            [SERVER, *MIGRATE],
        ),
        (
            {"update": "rollback_completed T1", "logs": "no ALLOWED_HOSTS\n"},
            "my_site_backend does not become ready: no ALLOWED_HOSTS (task: non-zero exit (1))",
            [SERVER, *MIGRATE, SERVE, *BACK],
        ),
    ],
    ids=["migration", "readiness"],
)
def test_a_release_that_fails_leaves_the_old_one(
    files: dict[str, str], reason: str, told: list[str], swarm: Swarm
) -> None:
    swarm.says(**files)
    assert swarm.deploy() == (1, f"deploy: {reason} -- r0 still serves", told)


def test_rollback_names_what_the_release_before_does_not_know(swarm: Swarm) -> None:
    (swarm.project / ".releases").write_text("old T0 x\nr0 T1 x\n")
    swarm.says(**{"migrations-my_site:old": "", "migrations-my_site:r0": ""})
    swarm.says(**{"migrations-my_site:r0": "/app/site/core/migrations/0002_x.py\n"})
    status, line, log = swarm.deploy("rollback")
    assert (status, log) == (1, [])
    assert "old does not know core.0002_x" in line
    assert swarm.deploy("rollback", "--anyway") == (0, "deploy: old serves", [SERVE])
    assert (swarm.project / ".releases").read_text() == "old T0 x\n"


def test_a_secret_that_is_missing_is_named(swarm: Swarm) -> None:
    env = swarm.project / ".env"
    lines = env.read_text().splitlines(keepends=True)
    env.write_text("".join(line for line in lines if "DJANGO_SECRET_KEY" not in line))
    status, line, log = swarm.deploy()
    assert (status, log) == (1, [])
    assert line == "deploy: DJANGO_SECRET_KEY is not set in .env -- r0 still serves"
