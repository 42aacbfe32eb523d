"""What each choice must provide; docs/template.md says the same in words."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Entry = dict[str, Any]

CATALOGUES = {
    "database": "_databases",
    "cache": "_caches",
    "app_server": "_app_servers",
    "task_queue": "_task_queues",
    "services": "_services",
    "package_manager": "_package_managers",
    "code_style": "_code_styles",
    "deploy": "_deploys",
}


@dataclass(frozen=True)
class Point:
    """One point of a contract: where to find it, and what must match there."""

    point: str
    name: str
    pattern: str = ""
    # The key of the entry without which it is not needed: embedded choices, such as SQLite, have no image.
    when: str = ""

    def needed(self, entry: Entry) -> bool:
        """Tell whether a choice must provide it, from its catalogue entry."""
        return not self.when or bool(entry.get(self.when))

    def given(self, entry: Entry, folder: Path) -> bool:
        """Tell whether a choice provides it, from its catalogue entry and its folder."""
        raise NotImplementedError


class Key(Point):
    """A key of the catalogue entry, and a pattern for its value as text."""

    def given(self, entry: Entry, folder: Path) -> bool:
        """Tell whether the entry has it."""
        return self.name in entry and bool(re.search(self.pattern, str(entry[self.name])))

    def __str__(self) -> str:
        """Say where it belongs."""
        return f"{self.point}: the key {self.name!r} of its entry in cookiecutter.json"


class File(Point):
    """A file in the choice's folder, and a pattern for its text, includes in place."""

    def given(self, entry: Entry, folder: Path) -> bool:
        """Tell whether the folder has it."""
        path = folder / self.name
        return path.is_file() and bool(re.search(self.pattern, whole(path)))

    def __str__(self) -> str:
        """Say where it belongs."""
        what = f" with {self.pattern!r}" if self.pattern else ""
        return f"{self.point}: the file {self.name}{what} in its folder"


def whole(path: Path) -> str:
    """Return the text of a template and of what it includes by name; empty if the file is missing."""
    if not path.is_file():
        return ""
    templates = next(parent for parent in path.parents if parent.name == "templates")
    text = path.read_text("utf-8")
    included = re.findall(r'{% include "([^"~]+)" %}', text)
    return text + "".join(whole(templates / name) for name in included)


COMMON = [
    Key("its name for people", "label", r"\w"),
    Key("the packages it needs", "packages"),
]
CONTRACTS: dict[str, list[Point]] = {
    "app_server": [
        *COMMON,
        Key("its package", "packages", r"\w"),
        Key("its configuration file, or none", "config"),
        Key("the command that starts it, and with it the name of its process", "command", r"\w"),
        Key("the port of the health check", "health_port", r"^\d+$"),
        Key("the signal that ends it at once", "kill_signal", "^SIG[A-Z]+$"),
        Key("the setting that bounds a graceful stop", "graceful_stop", r"\w"),
        Key("what Ruff may overlook in its configuration", "ruff_ignores"),
        File("the address for nginx", "nginx.conf", r"_pass [a-z:/]*\$backend;"),
        File("the time-outs of nginx", "nginx.conf", "_read_timeout"),
        File("the variable for its workers", "entrypoint.sh", "WEB_CONCURRENCY"),
    ],
    "database": [
        *COMMON,
        Key("its image, or none", "image"),
        Key("Django's back end", "engine", r"^django\."),
        Key("its URL", "url", "://"),
        Key("its kind of statements for the check of migrations", "linter", "sql_analyser"),
        File("its backup", "backup.sh", r"(?m)^dump\(\) "),
        File("the check of a backup", "backup.sh", r"(?m)^complete\(\) "),
        File("its restore", "backup.sh", r"(?m)^load\(\) "),
        File("the comparison of a backup", "backup.sh", r"(?m)^rows\(\) "),
        File("the service that backs it up", "backup.yml", r"command: \[nightly\]"),
        Key("the secrets", "secrets"),
        Key("how its passwords are replaced", "passwords", r"^\{"),
        Key("its volumes besides its data", "volumes"),
        Key("its file of the first start", "setup"),
        Key("packages of Debian to build its client", "build_apt"),
        Key("packages of Debian to run its client", "runtime_apt"),
        Key("the options of Django's back end", "options"),
        Key("the time-out of statements", "options", "STATEMENT_TIMEOUT", when="image"),
        Key("the time-out of locks", "options", "LOCK_TIMEOUT", when="image"),
        Key("its settings in .env, or none", "settings", r"^\{", when="image"),
        Key("its port", "port", r"^\d+$", when="image"),
        Key("the folder of its data", "data", "^/", when="image"),
        Key("the folder of its socket", "socket", "^/", when="image"),
        Key("its memory for pages", "buffer", r"\d", when="image"),
        Key("its settings on a small machine", "small", r"\d", when="image"),
        Key("its settings on a larger machine", "large", r"\d", when="image"),
        Key("its options for TLS", "tls", r"^\?\w", when="image"),
        Key("where slow statements are logged", "slow", "'en': .+'ko': .", when="image"),
        File("its service", "compose.yml", "<<: \\*service", when="image"),
        File("its container in a pod", "container.yml", "livenessProbe:", when="image"),
        File("its service on a swarm", "stack.yml", "<<: \\*server", when="image"),
        File("the health check", "compose.yml", "healthcheck:", when="image"),
        File(
            "grants for the tests' databases", "test-database.sql", "GRANT|ALTER ROLE", when="image"
        ),
    ],
    "cache": [
        *COMMON,
        Key("its image, or none", "image"),
        Key("Django's back end", "backend", r"^django\."),
        Key("its URL", "url", "://"),
        Key("the secrets", "secrets"),
        Key("the options of Django's back end", "options"),
        Key("time-outs", "options", "timeout", when="image"),
        Key("the errors of its client, to fail soft", "errors", r"\w", when="image"),
        Key("the errors that mean that nothing answers", "silence", r"\w", when="image"),
        Key("an error that is an answer, for the tests", "refusal", r"\w", when="image"),
        Key(
            "an address where none answers, for the tests", "down", r"127\.0\.0\.1:1", when="image"
        ),
        Key("its port", "port", r"^\d+$", when="image"),
        Key("its memory", "maxmemory", r"\d", when="image"),
        File("its service", "compose.yml", "<<: \\*service", when="image"),
        File("its container in a pod", "container.yml", "livenessProbe:", when="image"),
        File("its service on a swarm", "stack.yml", "<<: \\*server", when="image"),
        File("the health check", "compose.yml", "healthcheck:", when="image"),
    ],
    "task_queue": [
        *COMMON,
        Key("the image of its broker, or none", "image"),
        Key("its configuration file, or none", "config"),
        Key("its health check, or none", "health"),
        Key("its services besides the broker, or none", "processes"),
        Key("its packages on a developer's machine", "dev_packages"),
        Key("the secrets", "secrets"),
        Key("its volumes", "volumes"),
        File("its services, or an example of one", "compose.yml", r"worker:\n.*<<: \*backend"),
        File("the same in development", "development.yml", r"worker:\n.*<<: \*development"),
        Key("the port of its broker", "port", r"^\d+$", when="image"),
        Key("the URL of its broker", "url", "://", when="image"),
        Key("the memory of its broker", "maxmemory", r"\d", when="image"),
        File("the health check of its broker", "compose.yml", "ping", when="image"),
        File("the health check of its worker", "compose.yml", "queue.health", when="image"),
        File("a broker that forgets nothing", "compose.yml", "noeviction", when="image"),
        File("a stop that hands tasks back", "compose.yml", "stop_grace_period", when="image"),
        File("its broker on a swarm", "stack.yml", "<<: \\*server", when="image"),
        File("its processes on a swarm", "stack-processes.yml", "<<: \\*backend", when="image"),
        File("its broker's container in a pod", "container.yml", "livenessProbe:", when="image"),
        File("its processes on Kubernetes", "kubernetes.yml", "kind: Deployment", when="image"),
        File("its scaling by KEDA", "keda.yml", "kind: ScaledObject", when="image"),
        File(
            "acknowledgement when a task is done", "settings.py", "ACKS_LATE = True", when="image"
        ),
        File("time limits", "settings.py", "TASK_TIME_LIMIT", when="image"),
        File("a schedule", "settings.py", "SCHEDULE = {", when="image"),
        File("a task of every project", "tasks/core.py", "def clear_sessions", when="image"),
        File("a task of the sample", "tasks/drainage.py", "def import_readings", when="image"),
        File("its tests", "tests/test_tasks.py", "def test_", when="image"),
        File("the tests of the sample's task", "tests/test_import.py", "def test_", when="image"),
    ],
    "services": [
        *COMMON,
        Key("whether others are called over HTTP", "over_http"),
        Key("the secrets", "secrets"),
        File("the network that projects share", "compose.yml", "networks:", when="over_http"),
        File("its settings", "settings.py", "SERVICE_URLS = ", when="over_http"),
        *(
            File(f"its module {name}", f"services/{name}.py", "def |class ", when="over_http")
            for name in (
                "authentication",
                "callers",
                "client",
                "decorators",
                "middleware",
                "settings",
                "tokens",
                "views",
            )
        ),
        File("its tests", "tests/test_services.py", "def test_", when="over_http"),
        File(
            "the tests of the sample's API",
            "tests/test_services_api.py",
            "def test_",
            when="over_http",
        ),
    ],
    "package_manager": [
        *COMMON,
        Key("its configuration file, or none", "config"),
        Key("the prefix that runs a tool", "run", r"\w"),
        Key("how a package is added", "add", "'en': .+'ko': ."),
        Key("its ecosystem for Dependabot", "dependabot", r"\w"),
        Key("its image, or none", "image"),
        Key("the command that installs into the image", "install", "install"),
        Key("the folder of its cache in the image", "cache", r"\w"),
        File("make install", "Makefile", r"(?m)^install:.*## "),
        Key("its lock file, or none", "lock"),
        Key("its script that locks, or none", "lock_script"),
        File("make lock", "Makefile", r"(?m)^lock:.*## "),
        File("make upgrade", "Makefile", r"(?m)^upgrade:.*## "),
        File("the test of its requirements", "test_requirements.py", "def declared"),
        File("the environment of the image", "Dockerfile", "/opt/venv"),
        File("its steps in CI", "ci.yml", "setup-python"),
        File("the cache of CI", "ci.yml", "cache"),
        File("its part of pyproject.toml", "pyproject.toml"),
    ],
    "code_style": [
        *COMMON,
        Key("its packages", "packages", r"\w"),
        Key("its configuration file, or none", "config"),
        Key("the commands that format", "format", r"\w"),
        Key("the commands that only look", "unchanged", r"\w"),
        Key("further checks", "checks"),
        File("its hooks", "pre-commit.yml", "rev: .*version"),
        File("its part of pyproject.toml", "pyproject.toml", r"\[tool\."),
    ],
    "deploy": [
        *COMMON,
        Key("whether releases go over ssh", "over_ssh"),
        Key("its guide, if it is no single machine", "guide"),
        Key("its file for a swarm, or none", "stack"),
        Key("whether it has Kubernetes manifests", "manifests"),
        Key("how a command runs in a backend", "exec", r"\w"),
        Key("where its settings are", "settings", r"\w"),
        File("the preparation of a server", "server-setup", "^#!/", when="over_ssh"),
        File("releases from another machine", "over-ssh", "^#!/", when="over_ssh"),
        File("releases from CI", "deploy.yml", "environment:", when="over_ssh"),
        File("its releases", "deploy", r"(?m)^must\(\) ", when="guide"),
    ],
}


def missing(catalogue: dict[str, Any], templates: Path) -> list[str]:
    """Return a sentence for each thing that a choice of the catalogue lacks."""
    found = []
    for question, points in CONTRACTS.items():
        entries = catalogue[CATALOGUES[question]]
        for choice in catalogue[question]:
            folder = templates / "choices" / question / choice
            if choice not in entries:
                found.append(f"{question}={choice} lacks an entry in {CATALOGUES[question]}")
                continue
            entry = entries[choice]
            found += [
                f"{question}={choice} lacks {point}"
                for point in points
                if point.needed(entry) and not point.given(entry, folder)
            ]
            setup = entry.get("setup", {}).get("file")
            found += [
                f"{question}={choice} lacks {name} in its folder"
                for name in (
                    entry.get("config"),
                    setup,
                    entry.get("lock_script"),
                    entry.get("health"),
                )
                if name and not (folder / name).is_file()
            ]
    return found
