"""What runs on Kubernetes: valid objects, with few rights, and releases that the old one survives."""

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from tests.support.catalogue import CATALOGUE, CHOICES
from tests.support.commands import run, succeed, tool
from tests.support.projects import Bake

Object = dict[str, Any]

(DEPLOY,) = [name for name, entry in CATALOGUE["_deploys"].items() if entry["manifests"]]
OVERLAYS = ("production", "staging")
# Kubernetes supports its last three versions.
VERSIONS = sorted(
    {*map(utils.major_minor, utils.all_versions())}, key=lambda v: int(v.split(".")[1])
)[-3:]
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
QUEUE = CATALOGUE["_task_queues"][QUEUED["task_queue"]]
PATH = f"{Path(tool('kubectl')).parent}:{os.environ['PATH']}"
RELEASE = {"IMAGE": "registry.example.com/site", "RELEASE": "r1", "PATH": PATH}


@pytest.fixture(scope="module")
def rendered(bake: Bake) -> dict[str, list[Object]]:
    """Return the objects of each overlay, for each database, cache and task queue."""
    found = {}
    for answers in SERVERS:
        folder = bake(**answers, deploy=DEPLOY)
        for overlay in OVERLAYS:
            text = succeed("bin/deploy", overlay, "show", cwd=folder, env=RELEASE)
            found["-".join((*answers.values(), overlay))] = list(yaml.safe_load_all(text))
    return found


@pytest.fixture
def objects(rendered: dict[str, list[Object]]) -> list[Object]:
    """Return all objects, each once, whatever its namespace."""
    seen: dict[str, Object] = {}
    for name, documents in rendered.items():
        for document in documents:
            text = json.dumps(document).replace("-staging", "")
            seen.setdefault(text, {**document, "from": name})
    return list(seen.values())


def pods(documents: list[Object]) -> Iterator[tuple[str, Object]]:
    """Yield the name and the specification of each kind of pod."""
    for document in documents:
        spec = document.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield f"{document['kind']} {document['metadata']['name']}", spec["template"]["spec"]


def containers(pod: Object) -> list[Object]:
    """Return the containers of a pod."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def of_kind(documents: list[Object], kind: str) -> list[Object]:
    """Return the objects of a kind."""
    return [document for document in documents if document["kind"] == kind]


def test_every_object_is_valid(objects: list[Object], monkeypatch: pytest.MonkeyPatch) -> None:
    # It reads the same long files anew for each object.
    monkeypatch.setattr(utils, "schema_contents", functools.cache(utils.schema_contents))
    assert len(VERSIONS) == 3
    assert {"Deployment", "StatefulSet", "Job", "CronJob", "NetworkPolicy"} <= {
        document["kind"] for document in objects
    }
    for document in objects:
        plain = {key: value for key, value in document.items() if key != "from"}
        for version in VERSIONS:
            kubernetes_validate.validate(plain, version, strict=True)


# What checkov asks, and is not given.
REASONS = {
    "CKV_K8S_40": "a database server runs as the user of its image, which owns its folders there",
    "CKV_K8S_43": "bin/deploy names an image after its commit, and never overwrites one",
}


@pytest.mark.project
def test_checkov_finds_nothing(rendered: dict[str, list[Object]], tmp_path: Path) -> None:
    for name, documents in rendered.items():
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump_all(documents))
    command = [tool("uv"), "tool", "run", "--from", "checkov==3.3.30", "checkov"]
    options = ["--framework", "kubernetes", "--skip-download", "--quiet", "--compact"]
    result = subprocess.run(
        [*command, "--directory", tmp_path, *options, "--output", "json"],
        capture_output=True,
        check=False,
    )
    report = json.loads(result.stdout)
    failed = {
        (check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]
    }
    assert report["summary"]["passed"] > 1000
    assert report["summary"]["parsing_errors"] == 0
    assert {check for check, _ in failed} == {*REASONS}
    users = {resource for check, resource in failed if check == "CKV_K8S_40"}
    assert {resource.rpartition(".")[2] for resource in users} == {"database"}


def test_pods_have_no_rights_and_limits(objects: list[Object]) -> None:
    namespaces = of_kind(objects, "Namespace")
    level = "pod-security.kubernetes.io/enforce"
    assert {space["metadata"]["labels"][level] for space in namespaces} == {"restricted"}
    for name, pod in pods(objects):
        context = pod["securityContext"]
        assert context["runAsNonRoot"], name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            for bound in ("requests", "limits"):
                assert set(container["resources"][bound]) == {"cpu", "memory"}, name


def test_images_are_those_of_the_release_or_of_the_catalogue(objects: list[Object]) -> None:
    catalogues = ("_databases", "_caches", "_task_queues")
    servers = [entry for name in catalogues for entry in CATALOGUE[name].values()]
    own = {f"{RELEASE['IMAGE']}{part}:r1" for part in ("", "-nginx", "-backup")}
    images = {container["image"] for _, pod in pods(objects) for container in containers(pod)}
    assert images == own | {entry["image"] for entry in servers if entry["image"]}


def test_what_is_mounted_is_there(rendered: dict[str, list[Object]]) -> None:
    for name, documents in rendered.items():
        claims = {
            claim["metadata"]["name"] for claim in of_kind(documents, "PersistentVolumeClaim")
        }
        for stateful in of_kind(documents, "StatefulSet"):
            templates = stateful["spec"].get("volumeClaimTemplates", [])
            stateful["spec"]["template"]["spec"].setdefault("volumes", []).extend(
                {"name": template["metadata"]["name"]} for template in templates
            )
        for pod_name, pod in pods(documents):
            volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
            mounts = {
                mount["name"]
                for container in containers(pod)
                for mount in container.get("volumeMounts", [])
            }
            assert mounts == set(volumes), f"{name} {pod_name}"
            wanted = {
                volume["persistentVolumeClaim"]["claimName"]
                for volume in volumes.values()
                if "persistentVolumeClaim" in volume
            }
            assert wanted <= claims, f"{name} {pod_name}"


def test_services_policies_and_budgets_select_pods(rendered: dict[str, list[Object]]) -> None:
    for name, documents in rendered.items():
        labels = [
            template["metadata"]["labels"]
            for document in documents
            if (template := document.get("spec", {}).get("template"))
        ]
        selectors = [
            *(service["spec"]["selector"] for service in of_kind(documents, "Service")),
            *(
                policy["spec"]["podSelector"].get("matchLabels", {})
                for policy in of_kind(documents, "NetworkPolicy")
            ),
            *(
                budget["spec"]["selector"]["matchLabels"]
                for budget in of_kind(documents, "PodDisruptionBudget")
            ),
        ]
        assert len(selectors) > 3
        for selector in selectors:
            assert any(selector.items() <= entry.items() for entry in labels), f"{name} {selector}"


@pytest.mark.parametrize("services", CHOICES["services"])
def test_other_projects_are_reached_where_they_are_called(services: str, bake: Bake) -> None:
    folder = bake(services=services, deploy=DEPLOY) / "kubernetes/base"
    policies = yaml.safe_load_all((folder / "network.yml").read_text())
    egress = next(p["spec"]["egress"] for p in policies if p["metadata"]["name"] == "backend")
    asked = {port["port"] for rule in egress for port in rule["ports"]}
    assert (8080 in asked) == CATALOGUE["_services"][services]["over_http"]


@pytest.mark.parametrize("app_server", CHOICES["app_server"])
def test_a_pod_is_asked_for_its_health_over_http(app_server: str, bake: Bake) -> None:
    text = (bake(app_server=app_server, deploy=DEPLOY) / "kubernetes/base/web.yml").read_text()
    deployment = next(yaml.safe_load_all(text))
    template = deployment["spec"]["template"]
    backend, nginx = template["spec"]["containers"]
    port = CATALOGUE["_app_servers"][app_server]["health_port"]
    assert backend["ports"] == [{"name": "health", "containerPort": port}]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(port)
    asked = {
        probe: container[probe]["httpGet"]["path"]
        for container in (nginx, backend)
        for probe in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert asked == {
        "startupProbe": "/health/ready",
        "readinessProbe": "/health/ready",
        "livenessProbe": "/health/live",
    }
    # It lets go after nginx, and then has the time that a request may take.
    waits = [entry["lifecycle"]["preStop"]["sleep"]["seconds"] for entry in (nginx, backend)]
    assert waits == sorted(waits)
    assert template["spec"]["terminationGracePeriodSeconds"] >= waits[1] + 30 + 10


def test_settings_are_known_and_those_of_nginx_complete(bake: Bake) -> None:
    for answers in SERVERS:
        folder = bake(**answers, deploy=DEPLOY)
        texts = [path.read_text() for path in folder.glob("kubernetes/**/settings.env")]
        names = {*re.findall(r"(?m)^(\w+)=", "".join(texts))}
        described = {*re.findall(r"(?m)^#?(\w+)=", (folder / ".env.example").read_text())}
        known = {*re.findall(r"(?m)^    (\w+): ", (folder / "docker-compose.yml").read_text())}
        plain = {name.removesuffix("_FILE") for name in names}
        assert plain - described - known == {"BACKEND"}
        compose = yaml.safe_load((folder / "docker-compose.yml").read_text())
        asked = compose["services"]["nginx-release"]["environment"]
        assert {*asked} - {"DEPLOYMENT"} <= names


def with_component(name: str, project: Path, folder: Path) -> list[Object]:
    """Return the objects of production with a component that an overlay may add."""
    shutil.copytree(project / "kubernetes", folder / "kubernetes")
    overlay = folder / "kubernetes/overlays/production"
    with (overlay / "kustomization.yml").open("a") as file:
        file.write(f"components: [../../components/{name}]\n")
    return [*yaml.safe_load_all(succeed(tool("kubectl"), "kustomize", overlay, cwd=folder))]


def test_a_disk_for_uploaded_files_can_be_added(bake: Bake, tmp_path: Path) -> None:
    documents = with_component("media", bake(**QUEUED, deploy=DEPLOY), tmp_path)
    mounted = [
        (name, container["name"])
        for name, pod in pods(documents)
        for container in containers(pod)
        for mount in container.get("volumeMounts", [])
        if mount["name"] == "media"
    ]
    assert mounted == [
        ("Deployment web", "backend"),
        ("Deployment web", "nginx"),
        ("Deployment worker", "backend"),
        ("CronJob backup", "files"),
    ]


def named(documents: list[Object], kind: str, name: str) -> Object:
    """Return the object of a kind with a name."""
    return next(entry for entry in of_kind(documents, kind) if entry["metadata"]["name"] == name)


@pytest.mark.parametrize("database", CHOICES["database"])
def test_processes_of_the_task_queue_are_what_they_are_with_compose(
    database: str, bake: Bake
) -> None:
    project = bake(**{**QUEUED, "database": database}, deploy=DEPLOY)
    services = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]
    documents = [*yaml.safe_load_all((project / "kubernetes/base/tasks.yml").read_text())]
    assert {d["metadata"]["name"] for d in of_kind(documents, "Deployment")} == {
        *QUEUE["processes"]
    }
    for name in QUEUE["processes"]:
        spec = named(documents, "Deployment", name)["spec"]
        (container,) = spec["template"]["spec"]["containers"]
        assert container["args"] == services[name]["command"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = ["CMD", *container[probe]["exec"]["command"]]
            assert asked == services[name]["healthcheck"]["test"]
        # bin/deploy knows it by its component, and finds its log by the container's name.
        assert spec["selector"]["matchLabels"]["app.kubernetes.io/component"] == name
        assert container["name"] == "backend"
    worker, beat = (named(documents, "Deployment", name)["spec"] for name in ("worker", "beat"))
    pod = worker["template"]["spec"]
    grace = services["worker"]["stop_grace_period"]
    assert f"{pod['terminationGracePeriodSeconds']}s" == grace
    remapped = {"name": "REMAP_SIGTERM", "value": services["worker"]["stop_signal"]}
    assert pod["containers"][0]["env"] == [remapped]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})
    several = bool(CATALOGUE["_databases"][database]["image"])
    assert ("replicas" in worker, "topologySpreadConstraints" in pod) == (not several, several)
    for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget"):
        assert [d["metadata"]["name"] for d in of_kind(documents, kind)] == ["worker"] * several


def reached(documents: list[Object], component: str) -> set[int | str]:
    """Return the ports that a component's pods may open connections to, by the policies."""
    found = set()
    for policy in of_kind(documents, "NetworkPolicy"):
        selector = policy["spec"]["podSelector"]
        chosen = [row["values"] for row in selector.get("matchExpressions", [])]
        chosen += [[value] for value in selector.get("matchLabels", {}).values()]
        if component in [name for values in chosen for name in values]:
            rules = policy["spec"].get("egress", [])
            found |= {port["port"] for rule in rules for port in rule["ports"]}
    return found


@pytest.mark.parametrize("task_queue", CHOICES["task_queue"])
def test_the_broker_is_reached_by_whatever_sends_and_does_tasks(
    task_queue: str, bake: Bake
) -> None:
    answers = {"database": "postgresql", "cache": "locmem", "task_queue": task_queue}
    project = bake(**answers, deploy=DEPLOY)
    documents = [
        *yaml.safe_load_all(succeed("bin/deploy", "staging", "show", cwd=project, env=RELEASE))
    ]
    entry = CATALOGUE["_task_queues"][task_queue]
    if not entry["image"]:
        assert 6379 not in reached(documents, "web")
        return
    (rule,) = named(documents, "NetworkPolicy", "broker")["spec"]["ingress"]
    (allowed,) = rule["from"][0]["podSelector"]["matchExpressions"]
    assert {*allowed["values"]} == {"web", *entry["processes"]}
    for component in allowed["values"]:
        assert entry["port"] in reached(documents, component)
    assert entry["port"] not in reached(documents, "migrate") | reached(documents, "cron")
    assert reached(documents, "beat") == {53, 443, 4318, entry["port"]}
    assert reached(documents, "worker") >= {53, 5432, 443}
    # What else would delete expired sessions is a task.
    assert [job["metadata"]["name"] for job in of_kind(documents, "CronJob")] == ["backup"]


def test_workers_can_follow_the_length_of_their_queues(bake: Bake, tmp_path: Path) -> None:
    project = bake(**QUEUED, deploy=DEPLOY)
    documents = with_component("keda", project, tmp_path)
    assert [d["metadata"]["name"] for d in of_kind(documents, "HorizontalPodAutoscaler")] == ["web"]
    scaled = named(documents, "ScaledObject", "worker")["spec"]
    assert named(documents, "Deployment", scaled["scaleTargetRef"]["name"])
    settings = (project / "config/settings.py").read_text()
    queues = re.findall(r'Queue\("(\w+)"\)', settings)
    assert [trigger["metadata"]["listName"] for trigger in scaled["triggers"]] == queues
    names = {trigger["authenticationRef"]["name"] for trigger in scaled["triggers"]}
    (name,) = names
    keys = named(documents, "TriggerAuthentication", name)["spec"]["secretTargetRef"]
    guide = (project / "docs/kubernetes.md").read_text()
    assert all(f"`{entry['key']}`" in guide for entry in keys)
    # It is not applied before somebody adds it.
    text = succeed("bin/deploy", "show", cwd=project, env=RELEASE)
    assert "keda" not in text
    assert named([*yaml.safe_load_all(text)], "HorizontalPodAutoscaler", "worker")


def test_the_job_of_a_restore_is_the_backup_with_another_word(
    rendered: dict[str, list[Object]], bake: Bake
) -> None:
    guide = (bake(**SERVERS[0], deploy=DEPLOY) / "docs/kubernetes.md").read_text()
    edit = re.search("create job restore .* (sed -E '.*') ", guide)
    assert edit
    for documents in rendered.values():
        (backup,) = [
            job for job in of_kind(documents, "CronJob") if "backup" in str(job["metadata"])
        ]
        text = json.dumps(backup, indent=4)
        result = subprocess.run(
            ["sh", "-c", edit[1]], input=text, capture_output=True, text=True, check=True
        )
        spec = json.loads(result.stdout)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        assert [entry["command"][-2:] for entry in containers(spec)] == [["restore", "NAME"]] * 2


def changed(before: Path, after: Path) -> set[str]:
    """Return the names of the files that differ between two folders."""
    names = {
        path.relative_to(folder).as_posix()
        for folder in (before, after)
        for path in folder.rglob("*")
        if path.is_file()
    }
    contents = [
        {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
        for folder in (before, after)
    ]
    return {name for name in names if contents[0].get(name) != contents[1].get(name)}


@pytest.mark.parametrize("task_queue", CHOICES["task_queue"])
@pytest.mark.parametrize("deploy", CHOICES["deploy"][1:])
def test_another_answer_changes_only_what_deploys(deploy: str, task_queue: str, bake: Bake) -> None:
    before = bake(deploy=CHOICES["deploy"][0], task_queue=task_queue)
    after = bake(deploy=deploy, task_queue=task_queue)
    files = changed(before, after) - {".env", ".cruft.json"}
    expected = r"(bin|docs|kubernetes)/.*|docker-stack.*|README\.md|Makefile"
    image = r"nginx/(Dockerfile|locations\.conf)"
    ignored = r"\.(docker|git)ignore|\.github/workflows/(ci|deploy)\.yml"
    assert [name for name in files if not re.fullmatch(f"{expected}|{image}|{ignored}", name)] == []


# A cluster that writes down what it is told. Files say how the Job and the Deployment get on.
CLUSTER = r"""#!/bin/bash
[ "$1" != kustomize ] || exec KUBECTL "$@"
[ "$1" = --namespace ] && shift 2
here=$(dirname "$0")
[ "$1" != apply ] || cp "$3" "$here/objects"
cd "$here"
case "$*" in
    "apply "*) all=$*; echo "apply ${all##*component }" >>log ;;
    "get job migrate"*active*) cat active 2>/dev/null ;;
    "get job migrate"*) cat job ;;
    "get secret"*) grep . secret ;;
    "get replicasets"*served*) grep -v failed releases ;;
    "get replicasets"*) cat releases ;;
    "get deployments"*) cat deployments ;;
    "get pods"*name) echo pod/web-2 ;;
    "logs job/migrate"*) cat migrations ;;
    logs*) echo "ImproperlyConfigured: Set the ALLOWED_HOSTS environment variable" ;;
    exec*) printf '/app/site/core/migrations/000%s_x.py\n' 1 2 ;;
    "rollout status"*) echo "$*" >>log; cat status; ! grep . "rollout-${3#*/}" || exit 1; exit "$(cat rollout)" ;;
    delete*|label*|rollout*) echo "$*" >>log ;;
esac
"""
DOCKER = """#!/bin/sh
echo "docker $*" >>"$(dirname "$0")/log"
[ "$1" != manifest ] || [ -e "$(dirname "$0")/pushed" ]
"""


class Cluster:
    """A project, and programs that stand in for a cluster and a registry."""

    def __init__(self, project: Path, folder: Path) -> None:
        # bin/deploy writes into it.
        self.project = shutil.copytree(project, folder / "project")
        self.folder = folder
        for name, text in (("kubectl", CLUSTER), ("docker", DOCKER)):
            (folder / name).write_text(text.replace("KUBECTL", tool("kubectl")))
            (folder / name).chmod(0o755)
        self.says(job="Complete ready=0", secret="x", rollout="0", status="")
        self.runs("web")

    def runs(self, *deployments: str) -> None:
        """Let the cluster have Deployments."""
        # The second one never served.
        names = {1: "old", 2: "failed", 3: "r0"}
        rows = [
            f"{n} registry.example.com/site:{name} T{n} {deployment}-{n}\n"
            for deployment in deployments
            for n, name in names.items()
        ]
        self.says(releases="".join(reversed(rows)))
        self.says(deployments="".join(f"deployment/{name} 3\n" for name in sorted(deployments)))

    def says(self, **files: str) -> None:
        """Let the cluster answer from now on what is given."""
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def deploy(self, *words: str, **env: str) -> tuple[int, str, list[str]]:
        """Run bin/deploy; return its status, its last line and what the cluster was told."""
        (self.folder / "log").write_text("")
        path = f"{self.folder}:{os.environ['PATH']}"
        result = run("bin/deploy", *words, cwd=self.project, env={**RELEASE, "PATH": path, **env})
        assert not [*self.project.glob("kubernetes/.release.*")]
        lines = result.stdout.splitlines() or [""]
        return result.returncode, lines[-1], (self.folder / "log").read_text().splitlines()


@pytest.fixture
def cluster(bake: Bake, tmp_path: Path) -> Cluster:
    """Return a cluster in which a release serves."""
    return Cluster(bake(**SERVERS[0], deploy=DEPLOY), tmp_path)


SETTINGS = "apply in (settings, database, cache)"
JOB = ["delete job migrate --ignore-not-found", "apply in (migrate)"]
STATUS = "rollout status deployment/web --timeout 600s"
UNDO = "rollout undo deployment/web --to-revision"
SERVED = "label replicaset web-3 served=true --overwrite"


def test_a_release_migrates_before_it_starts_pods(cluster: Cluster) -> None:
    status, line, log = cluster.deploy("staging")
    assert (status, line) == (0, "deploy: r1 serves")
    images = [entry for entry in log if entry.startswith("docker")]
    assert [entry.split()[1] for entry in images] == ["manifest", "build", "push"] * 3
    assert "--build-arg BACKEND=registry.example.com/site:r1 nginx" in images[4]
    assert log[len(images) :] == [
        SETTINGS,
        *JOB,
        "apply notin (migrate, cron)",
        STATUS,
        SERVED,
        "apply in (cron)",
    ]
    cluster.says(pushed="")
    assert not [entry for entry in cluster.deploy("staging")[2] if "build" in entry]
    assert cluster.deploy("releases")[1] == "r0 T3"


@pytest.fixture
def queued(bake: Bake, tmp_path: Path) -> Cluster:
    """Return a cluster in which a release with a task queue serves."""
    cluster = Cluster(bake(**QUEUED, deploy=DEPLOY), tmp_path)
    cluster.runs("web", *QUEUE["processes"])
    cluster.says(pushed="")
    return cluster


def of_cluster(log: list[str]) -> list[str]:
    """Return what the cluster was told, without what the registry was."""
    return [entry for entry in log if not entry.startswith("docker")]


STATUSES = [
    f"rollout status deployment/{name} --timeout 600s" for name in ("beat", "web", "worker")
]
WORKERS = [STATUSES[0], STATUSES[2]]


def test_workers_are_replaced_before_the_backends_that_send_to_them(queued: Cluster) -> None:
    status, line, log = queued.deploy()
    assert (status, line) == (0, "deploy: r1 serves")
    assert of_cluster(log) == [
        "apply in (settings, database, cache, broker)",
        *JOB,
        "apply in (worker, beat)",
        *WORKERS,
        "apply notin (migrate, cron)",
        *STATUSES,
        SERVED,
        "apply in (cron)",
    ]
    undo = {
        name: f"rollout undo deployment/{name} --to-revision 1"
        for name in ("beat", "web", "worker")
    }
    status, _, log = queued.deploy("rollback", "--anyway")
    assert status == 0
    assert log == [undo["web"], STATUS, undo["beat"], undo["worker"], *STATUSES, SERVED]


def test_a_worker_that_does_not_start_leaves_the_old_release(queued: Cluster) -> None:
    queued.says(**{"rollout-worker": "error: deployment exceeded its progress deadline\n"})
    status, line, log = queued.deploy()
    assert status == 1
    assert line.startswith("deploy: deployment/worker does not become ready: ")
    assert line.endswith(" -- r0 still serves")
    undone = [
        f"rollout undo deployment/{name} --to-revision 3" for name in ("beat", "web", "worker")
    ]
    assert of_cluster(log)[-6:] == ["apply in (worker, beat)", *WORKERS, *undone]


@pytest.mark.parametrize(
    ("files", "reason", "told"),
    [
        (
            {"secret": ""},
            "the namespace my-site has no Secret named secrets: docs/kubernetes.md says how to make it",
            [],
        ),
        (
            {"job": "Failed", "migrations": "x\nCommandError: no such table\n\n"},
            "the migrations fail: CommandError: no such table",
            [SETTINGS, *JOB],
        ),
        ({"active": "1"}, "another deployment is under way", [SETTINGS]),
        (
            {"rollout": "1", "status": "error: deployment exceeded its progress deadline\n"},
            "deployment/web does not become ready: "
            "ImproperlyConfigured: Set the ALLOWED_HOSTS environment variable",
            [SETTINGS, *JOB, "apply notin (migrate, cron)", STATUS, f"{UNDO} 3"],
        ),
    ],
    ids=["secret", "migration", "another", "readiness"],
)
def test_a_release_that_fails_leaves_the_old_one(
    files: dict[str, str], reason: str, told: list[str], cluster: Cluster
) -> None:
    cluster.says(pushed="", **files)
    status, line, log = cluster.deploy()
    assert (status, line) == (1, f"deploy: {reason} -- r0 still serves")
    assert [entry for entry in log if not entry.startswith("docker")] == told


def test_rollback_names_what_the_release_before_does_not_know(cluster: Cluster) -> None:
    cluster.says(migrations="/app/site/core/migrations/0001_x.py\n")
    status, line, log = cluster.deploy("rollback")
    assert status == 1
    assert "old does not know core.0002_x; if it can live with that" in line
    assert log == JOB
    job = next(
        pod
        for name, pod in pods([*yaml.safe_load_all((cluster.folder / "objects").read_text())])
        if name == "Job migrate"
    )
    assert job["containers"][0]["image"] == "registry.example.com/site:old"
    assert job["containers"][0]["args"][-1] == "*/migrations/[0-9]*.py"
    cluster.says(migrations="".join(f"/app/site/core/migrations/000{n}_x.py\n" for n in (1, 2)))
    assert cluster.deploy("rollback")[::2] == (
        0,
        [*JOB, f"{UNDO} 1", STATUS, SERVED],
    )
    assert cluster.deploy("production", "rollback", "--anyway")[::2] == (
        0,
        [f"{UNDO} 1", STATUS, SERVED],
    )


@pytest.mark.parametrize(
    ("words", "env", "reason"),
    [
        ([], {"IMAGE": ""}, "IMAGE is not set: it is the name of the image in a registry"),
        (["forward"], {}, "forward: only rollback, rollback --anyway, releases and show"),
        (
            [],
            {"RELEASE": "A b"},
            "RELEASE=A b must be lowercase letters, digits and _.-, at most 41",
        ),
    ],
)
def test_mistakes_are_named_before_the_cluster_is_asked(
    words: list[str], env: dict[str, str], reason: str, cluster: Cluster
) -> None:
    status, line, log = cluster.deploy(*words, **env)
    assert (status, log) == (1, [])
    assert reason in line
