"""What runs on a Docker Swarm: files that Docker takes, and releases that the old one survives."""

import os
import re
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
# Each database and each cache, with and without a task queue.
SERVERS = [
    {
        "database": database,
        "cache": CHOICES["cache"][index % len(CHOICES["cache"])],
        "task_queue": task_queue,
    }
    for task_queue in CHOICES["task_queue"]
    for index, database in enumerate(CHOICES["database"])
]
QUEUED = next(
    answers for answers in SERVERS if CATALOGUE["_task_queues"][answers["task_queue"]]["image"]
)
PROCESSES = CATALOGUE["_task_queues"][QUEUED["task_queue"]]["processes"]
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
    for name in {"backend", "nginx", *PROCESSES} & {*services}:
        deploy = services[name]["deploy"]
        alone = name != "nginx" and "placement" in deploy
        assert deploy["update_config"]["failure_action"] == "rollback"
        order = "stop-first" if alone else "start-first"
        assert {deploy[key]["order"] for key in ("update_config", "rollback_config")} == {order}
        several = name in ("backend", "nginx") and not alone
        assert deploy.get("replicas", 1) == (2 if several else 1)
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
        written = yaml.safe_load((project / "docker-stack.yml").read_text())["services"]
        for name in ("backend", "nginx"):
            assert written[name]["stop_grace_period"] == compose[name]["stop_grace_period"]
        # It waits for a lock as briefly as docker/entrypoint.sh does, or others wait behind it.
        migrate = services["migrate"]["environment"]
        assert migrate == {**environment, "LOCK_TIMEOUT": "1"}


def seconds(text: str) -> int:
    """Return the seconds of a duration: 1m30s is 90."""
    return sum(int(n) * {"m": 60, "s": 1}[unit] for n, unit in re.findall(r"(\d+)([ms])", text))


@pytest.mark.parametrize("database", CHOICES["database"])
def test_a_process_of_the_task_queue_is_what_it_is_with_compose(
    database: str, bake: Bake, docker: str
) -> None:
    project = bake(**{**QUEUED, "database": database}, deploy=DEPLOY)
    compose = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]
    services = stack(project, docker)
    assert {*PROCESSES, "broker"} <= {*services}
    for name in PROCESSES:
        before, after = compose[name], services[name]
        assert after["command"] == before["command"]
        assert after["environment"] == services["backend"]["environment"]
        assert after["secrets"] == services["backend"]["secrets"]
        assert after["healthcheck"]["test"] == before["healthcheck"]["test"]
        # It is unhealthy after the same time without a sign of life.
        silence = [
            seconds(check["interval"]) * check.get("retries", 3)
            for check in (before["healthcheck"], after["healthcheck"])
        ]
        assert silence[0] == silence[1]
        assert after.get("stop_signal") == before.get("stop_signal")
        assert after.get("stop_grace_period") == before.get("stop_grace_period")
        assert {*after["networks"]} == {*before["networks"]}
    beat = services["beat"]["deploy"]
    assert (beat.get("replicas", 1), beat["placement"]) == (1, DATA)
    broker = services["broker"]
    configuration = re.compile(r"(?m)^ *(\S+) (.*)$")
    was, is_now = (
        dict(configuration.findall(entry["command"][-1])) for entry in (compose["broker"], broker)
    )
    assert {key for key in was if was[key] != is_now[key]} == {"requirepass", "maxmemory"}
    assert is_now["maxmemory-policy"] == "noeviction"
    assert [entry["source"] for entry in broker["secrets"]] == ["BROKER_PASSWORD"]
    assert broker["deploy"]["placement"] == DATA
    assert {*broker["networks"]} == {"data"}


# A swarm that writes down what it is told; files say how its services get on.
SWARM = r"""#!/bin/bash
here=$(dirname "$0")
case "$1 $2" in "stack config") exec DOCKER "$@" ;; esac
if [ "$1 $2" = "stack deploy" ]; then
    file=${*: -2:1}
    if [ "$file" = - ]; then cat; else cat "$file"; fi >"$here/stack"
    services=$(awk '/^[a-z]/ {part = $1} part == "services:" && /^  [a-z]/ {print $1}' "$here/stack")
    echo "deploy" $services >>"$here/log"
    for service in $services; do touch "$here/deployed-my_site_${service%:}"; done
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
    "service ls"*) printf 'my_site_%s 2/2\n' backend nginx worker beat ;;
    *Image*backend*) cat serving ;;
    *UpdateStatus*) [ ! -e "deployed-${*: -1}" ] || grep . "update-${*: -1}" || cat update ;;
    *TaskTemplate*) [ ! -e "deployed-${*: -1}" ] && echo old || echo new ;;
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
        for name in ("backend", "nginx", *PROCESSES):
            self.says(**{f"update-my_site_{name}": ""})
        self.says(job="Complete 1 second ago", logs="", serving="my_site:r0", update="completed T1")

    def says(self, **files: str) -> None:
        """Let Docker answer from now on what is given."""
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def deploy(self, *words: str, **env: str) -> tuple[int, str, list[str]]:
        """Run bin/deploy; return its status, its last line and what the swarm was told."""
        for deployed in self.folder.glob("deployed-*"):
            deployed.unlink()
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


@pytest.fixture
def queued(bake: Bake, tmp_path: Path, docker: str) -> Swarm:
    """Return the same with a task queue."""
    return Swarm(bake(**QUEUED, deploy=DEPLOY), tmp_path, docker)


# How Docker Compose reads .env.
COMPOSE = """
services:
  all:
    image: site
    environment:
      DJANGO_SECRET_KEY: ${DJANGO_SECRET_KEY}
      EMAIL_URL: ${EMAIL_URL}
      OTEL_EXPORTER_OTLP_HEADERS: ${OTEL_EXPORTER_OTLP_HEADERS}
      SENTRY_DSN: ${SENTRY_DSN}
"""
SERVER = f"deploy {SERVERS[0]['database']}: {SERVERS[0]['cache']}:"
MIGRATE = ["service rm my_site_migrate", "deploy migrate:"]
SERVE = "deploy backend: backup: backup-files: nginx:"
WORKERS = "deploy beat: worker:"
WITH_WORKERS = "deploy backend: backup: backup-files: beat: nginx: worker:"
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


def test_workers_are_replaced_before_the_backends_that_send_to_them(queued: Swarm) -> None:
    status, line, log = queued.deploy()
    assert (status, line) == (0, "deploy: r1 serves")
    assert log == [f"{SERVER} broker:", *MIGRATE, WORKERS, WITH_WORKERS]
    secrets = (queued.folder / "secrets").read_text()
    assert re.search(r"(?m)^redis://:\w{64}@broker:6379/0$", secrets)
    (queued.project / ".releases").write_text("old T0 x\nr0 T1 x\n")
    queued.says(**{"migrations-my_site:old": "", "migrations-my_site:r0": ""})
    assert queued.deploy("rollback") == (0, "deploy: old serves", [SERVE, WORKERS])


def test_a_worker_that_does_not_start_takes_the_release_back(queued: Swarm) -> None:
    queued.says(**{"update-my_site_worker": "rollback_completed T1", "logs": "no such module\n"})
    status, line, log = queued.deploy()
    reason = "my_site_worker does not become ready: no such module (task: non-zero exit (1))"
    assert (status, line) == (1, f"deploy: {reason} -- r0 still serves")
    back = [f"service rollback --quiet my_site_{name}" for name in PROCESSES]
    assert log == [f"{SERVER} broker:", *MIGRATE, WORKERS, *back]


def test_a_backend_that_does_not_start_takes_the_workers_back_after_it(queued: Swarm) -> None:
    queued.says(**{"update-my_site_backend": "rollback_completed T1", "logs": "no\n"})
    status, line, log = queued.deploy()
    assert status == 1
    assert "my_site_backend does not become ready: no" in line
    back = [f"service rollback --quiet my_site_{name}" for name in PROCESSES]
    assert log[2:] == ["deploy migrate:", WORKERS, WITH_WORKERS, *BACK, *back]


def test_settings_are_read_as_compose_reads_them(swarm: Swarm) -> None:
    with (swarm.project / ".env").open("a") as env:
        env.write("SENTRY_DSN=\"https://key=@example.com/1\"\nEMAIL_URL='smtp://a#b'  \n")
        env.write("DJANGO_SECRET_KEY=c2VjcmV0cw=\nOTEL_EXPORTER_OTLP_HEADERS=a=b # note\n")
    assert swarm.deploy()[0] == 0
    (swarm.project / "all.yml").write_text(COMPOSE)
    read = succeed("docker", "compose", "--file", "all.yml", "config", cwd=swarm.project)
    values = yaml.safe_load(read)["services"]["all"]["environment"]
    assert values["DJANGO_SECRET_KEY"].endswith("w=")
    secrets = (swarm.folder / "secrets").read_text()
    assert [value for value in values.values() if value not in secrets] == []
    assert not re.search("['\"]| #", secrets)


def test_a_secret_that_is_missing_is_named(swarm: Swarm) -> None:
    env = swarm.project / ".env"
    lines = env.read_text().splitlines(keepends=True)
    env.write_text("".join(line for line in lines if "DJANGO_SECRET_KEY" not in line))
    status, line, log = swarm.deploy()
    assert (status, log) == (1, [])
    assert line == "deploy: DJANGO_SECRET_KEY is not set in .env -- r0 still serves"
