"""Generated projects under their own tools: linters, Django's checks, their own tests."""

import json
import os
import re
import shutil
import stat
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from tests.support.catalogue import CATALOGUE, CHOICES, COMBINATIONS, ROOT
from tests.support.choices import few, label
from tests.support.commands import program, run, succeed, tool
from tests.support.index import publish, serve
from tests.support.names import NAMES, verbatim
from tests.support.projects import (
    MIGRATIONS,
    Bake,
    Environment,
    ci_steps,
    env_values,
    lint_commands,
)
from tools import lock
from tools.browser import BROWSERS

PRODUCTION = {
    "DJANGO_DEBUG": "false",
    "DJANGO_SECRET_KEY": "0123456789abcdef" * 4,
    "ALLOWED_HOSTS": "example.com",
    "DATABASE_URL": "sqlite://",
    "CACHE_URL": "locmemcache://",
    "CELERY_BROKER_URL": "redis://localhost",
    "SERVICE_KEY": "0123456789abcdef" * 4,
    "HTTPS": "true",
}

SERVERS = {name: entry for name, entry in CATALOGUE["_databases"].items() if entry["image"]}


def linter_env(programs: Path) -> dict[str, str]:
    """Return the variables for the linters of an environment."""
    return {
        "MYPY_CACHE_DIR": str(programs.parent / "mypy"),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "RUFF_NO_CACHE": "true",
    }


def lint(project: Path, programs: Path) -> None:
    """Run the commands of `make lint` in an environment."""
    env = linter_env(programs)
    for command in lint_commands(project):
        succeed("sh", "-c", command, cwd=project, env=env)


@pytest.fixture(scope="session")
def every_file(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of every combination, each text once, below the combination's name.

    Linters that look at one file at a time start once for all of them.
    """
    folder = tmp_path_factory.mktemp("every")
    seen = set()
    for answers in COMBINATIONS:
        project = bake(**answers)
        for path in sorted(path for path in project.rglob("*") if path.is_file()):
            name = path.relative_to(project)
            if (key := (name, path.read_bytes())) not in seen:
                seen.add(key)
                target = folder / label(answers) / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    return folder


def below(folder: Path, pattern: str) -> list[Path]:
    """Return the matching files below a folder, relative to it; fail unless there are at least two."""
    found = sorted(path.relative_to(folder) for path in folder.rglob(pattern))
    assert len(found) >= 2
    return found


def test_yamllint_finds_nothing(every_file: Path) -> None:
    # `on`, a key of GitHub Actions, is a boolean in YAML 1.1. A file of one document needs no `---`. Pinned
    # actions and commands that shells read are longer than 80 characters.
    rules = """{extends: default, rules: {braces: {level: error}, document-start: disable,
        line-length: {max: 140}, truthy: {check-keys: false}}}"""
    assert below(every_file, "*.yml")
    succeed(tool("yamllint"), "--strict", "--config-data", rules, ".", cwd=every_file)


def test_hadolint_finds_nothing(every_file: Path) -> None:
    dockerfiles = below(every_file, "Dockerfile")
    assert succeed(tool("hadolint"), *dockerfiles, cwd=every_file) == ""


def test_shellcheck_finds_nothing(every_file: Path) -> None:
    scripts = [*below(every_file, "*.sh"), *below(every_file, "bin/*")]
    succeed(tool("shellcheck"), *scripts, cwd=every_file)


WORKFLOWS = ".github/workflows/*.yml"


def test_actionlint_finds_nothing(every_file: Path) -> None:
    shellcheck = f"-shellcheck={tool('shellcheck')}"
    workflows = below(every_file, WORKFLOWS)
    assert succeed(tool("actionlint"), shellcheck, *workflows, cwd=every_file) == ""


def test_zizmor_finds_nothing(every_file: Path) -> None:
    files = below(every_file, ".github/**/*.yml")
    succeed(tool("zizmor"), "--offline", "--pedantic", "--quiet", *files, cwd=every_file)


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [("github-workflows", WORKFLOWS), ("dependabot", ".github/dependabot.yml")],
    ids=["workflows", "Dependabot"],
)
def test_schemas_of_github_are_kept(schema: str, pattern: str, every_file: Path) -> None:
    check = [tool("check-jsonschema"), "--builtin-schema", f"vendor.{schema}"]
    succeed(*check, *below(every_file, pattern), cwd=every_file)


def test_djlint_finds_nothing(every_file: Path) -> None:
    pages = below(every_file, "*.html")
    succeed(tool("djlint"), "--profile=django", "--lint", *pages, cwd=every_file)


def test_actions_are_those_of_the_catalogue(project: Path) -> None:
    text = "".join(path.read_text() for path in project.glob(WORKFLOWS))
    used = re.findall(r"uses: ([^.\n].*)", text)
    assert set(used) <= set(CATALOGUE["_actions"].values())


@pytest.mark.parametrize("status", [0, 1], ids=["released", "failed"])
def test_the_server_forgets_the_token_of_a_release(status: int, bake: Bake, tmp_path: Path) -> None:
    workflow = yaml.safe_load((bake(deploy="ssh") / ".github/workflows/deploy.yml").read_text())
    (script,) = [step["run"] for step in workflow["jobs"]["release"]["steps"] if "run" in step]
    for name in ("ssh", "deploy"):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>log\n[ {name} = ssh ] || exit {status}\n')
        path.chmod(0o755)
    env = {
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "GITHUB_ACTOR": "octocat",
        "SSH_HOST": "deploy@site",
        "SSH_KEY": "a key",
        "SSH_KNOWN_HOSTS": "site ssh-ed25519 AAAA",
        "TOKEN": "a token",
    }
    result = run("bash", "-e", "-o", "pipefail", "-c", script, cwd=tmp_path, env=env)
    assert result.returncode == status
    assert (tmp_path / "log").read_text().splitlines() == [
        "ssh deploy@site docker login ghcr.io --username octocat --password-stdin",
        "deploy deploy@site",
        "ssh deploy@site docker logout ghcr.io",
    ]
    key = tmp_path / ".ssh/id_ed25519"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text() == "a key\n"
    assert (tmp_path / ".ssh/known_hosts").read_text() == "site ssh-ed25519 AAAA\n"
    assert "a token" not in result.stdout


MACHINE, *_ = CHOICES["deploy"]
CLUSTER, *_ = [name for name, entry in CATALOGUE["_deploys"].items() if entry["guide"]]


@pytest.mark.parametrize(
    ("deploy", "templates"),
    [(MACHINE, ["site"]), (MACHINE, ["site", "tls"]), (CLUSTER, ["site"])],
    ids=["http", "https", "cluster"],
)
@pytest.mark.parametrize("app_server", CHOICES["app_server"])
def test_gixy_finds_nothing(
    app_server: str, deploy: str, templates: list[str], bake: Bake, tmp_path: Path
) -> None:
    source = bake(app_server=app_server, deploy=deploy) / "nginx"
    for name in ("nginx", "backend", "challenges", "health", "locations"):
        text = (source / f"{name}.conf").read_text(encoding="utf-8")
        (tmp_path / f"{name}.conf").write_text(text.replace("/etc/nginx/", ""))
    for name in ("mime.types", "uwsgi_params"):  # of nginx itself
        (tmp_path / name).touch()
    (tmp_path / "settings").mkdir()
    # What nginx/release.sh writes and replaces.
    (tmp_path / "settings/workers").write_text("worker_processes 1;\n")
    (tmp_path / "settings/backend").write_text("set $backend backend-1:8000;\n")
    (tmp_path / "settings/proxies").write_text("10.0.0.0/8 1;\n")
    (tmp_path / "settings/proxies.conf").write_text("set_real_ip_from 10.0.0.0/8;\n")
    environment = {
        "API_LIMIT": "20r/s",
        "CERTIFICATES": "/etc/nginx/tls/live/site",
        "HSTS": "max-age=31536000; includeSubDomains",
        "HTTPS": "true",
        "SERVER_NAMES": "example.com",
        "WWW_NAMES": "www.example.com",
    }
    for name in templates:
        template = Template((source / f"{name}.conf.template").read_text(encoding="utf-8"))
        text = template.safe_substitute(environment)
        (tmp_path / "settings" / f"{name}.conf").write_text(text)
    printed = succeed(tool("gixy"), "nginx.conf", cwd=tmp_path)
    assert "No issues found" in printed


def test_make_lists_its_targets(project: Path, request: pytest.FixtureRequest) -> None:
    deploy = CATALOGUE["_deploys"][request.node.callspec.params["project"]["deploy"]]
    listed = succeed("make", "--no-print-directory", cwd=project)
    targets = ["install", "lock", "upgrade", "app", "run", "test", "lint", "format", "down"]
    targets += ["server", "deploy", "rollback", "releases"]
    # In a cluster, the cluster does these.
    on_a_machine = ["backup", "backups", "backup-test", "restore", "maintenance", "cleanup"]
    for target in targets + on_a_machine:
        wanted = target not in on_a_machine or not deploy["guide"]
        assert (f"\n{target} " in f"\n{listed}") == wanted, target


# The application and its tests are the same whatever else is chosen: they run once with every other choice.
WITH_SAMPLE = few([answers for answers in COMBINATIONS if answers["sample_app"] == "true"])
SAMPLE_TESTS = re.findall(
    r"'(test_\w+\.py)' if cookiecutter.sample_app",
    " ".join(path.name for path in ROOT.glob("*cookiecutter*/tests/*")),
)


@pytest.mark.project
@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
class TestDjango:
    """With the embedded servers, SQLite and local memory. The test of the hooks, below, runs the linters."""

    @pytest.fixture
    def folder(self, answers: dict[str, str], bake: Bake) -> Path:
        return bake(**answers)

    @pytest.fixture
    def programs(self, answers: dict[str, str], environment: Environment) -> Path:
        return environment(answers["django_version"])

    def test_its_own_tests_pass(
        self, answers: dict[str, str], folder: Path, programs: Path
    ) -> None:
        left_out = [] if answers in WITH_SAMPLE else SAMPLE_TESTS
        ignored = [f"--ignore=tests/{name}" for name in left_out]
        printed = succeed(programs / "pytest", "-p", "no:cacheprovider", *ignored, cwd=folder)
        assert " passed" in printed
        assert "warning" not in printed

    def test_nothing_to_say_against_its_deployment(self, folder: Path, programs: Path) -> None:
        command = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        printed = succeed(programs / "python", *command, cwd=folder, env=PRODUCTION)
        assert "no issues" in printed


# The code that the tests of the API are about.
API = ["my_site/api/*", "my_site/drainage/api.py", "my_site/drainage/serializers.py"]
SAMPLE = [f"my_site/{app}/*" for app in ("api", "core", "drainage", "kakao")]


@pytest.mark.project
@pytest.mark.parametrize(
    ("command", "parts"),
    [
        ("manage.py test --verbosity 0", API),
        ("-m pytest -p no:cacheprovider tests/test_api.py", API),
        ("-m pytest -p no:cacheprovider --ignore-glob=*_unittest_*", SAMPLE),
    ],
    ids=["the API in unittest", "the API in pytest", "all in pytest"],
)
def test_the_tests_of_the_sample_application_reach_every_line(
    command: str, parts: list[str], bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    folder, programs = bake(), environment_python.parent
    env = {
        "COVERAGE_FILE": str(tmp_path / "coverage"),
        "DJANGO_DEBUG": "true",
        "PATH": f"{programs}:{os.environ['PATH']}",
    }
    succeed("sh", "-c", f"coverage run {command}", cwd=folder, env=env)
    included = f"--include={','.join(parts)}"
    succeed("coverage", "json", included, "-o", tmp_path / "report", cwd=folder, env=env)
    files = json.loads((tmp_path / "report").read_text())["files"]
    assert {Path(part).parts[-2] for part in parts} <= {
        part for name in files for part in Path(name).parts
    }
    missing = {name: file["missing_lines"] for name, file in files.items()}
    # Waiting for the database is not part of the sample application.
    missing.pop("my_site/core/management/commands/wait_for_database.py", None)
    assert not any(missing.values()), missing


@pytest.mark.project
def test_tdd_reruns_the_tests_that_a_change_affects(
    bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(bake(), folder)
    recipe = succeed("make", "--dry-run", "tdd", cwd=folder)
    command = re.search(r'watchfiles .*"uv run (pytest .*?)"', recipe)
    assert command
    tests = [f"tests/test_{name}.py" for name in ("districts", "environment", "kakao")]
    words = [str(environment_python.parent / "python"), "-m", *command[1].split(), *tests]

    def passed() -> int:
        found = re.search(r"(\d+) passed", run(*words, cwd=folder).stdout)
        return int(found[1]) if found else 0

    every = passed()
    assert passed() == 0
    client = folder / "my_site/kakao/client.py"
    client.write_text(client.read_text().replace('"response_type": "code"', '"response_type": "x"'))
    assert 0 < passed() < every / 2


PYTHON = {"types_or": ["python", "pyi"], "require_serial": True}
# What the hooks' repositories say about each hook; the installed programs take their place, so nothing is cloned.
# Those that are not here are programs of the same name, and read Python.
CLONED: dict[str, dict[str, Any]] = {
    "actionlint": {
        "entry": tool("actionlint"),
        "files": r"^\.github/workflows/",
        "types": ["yaml"],
    },
    "check-merge-conflict": {"entry": "check-merge-conflict", "types": ["text"]},
    "check-toml": {"entry": "check-toml", "types": ["toml"]},
    "check-yaml": {"entry": "check-yaml", "types": ["yaml"]},
    "django-upgrade": {"entry": "django-upgrade", "types": ["python"]},
    "end-of-file-fixer": {"entry": "end-of-file-fixer", "types": ["text"]},
    "gitleaks": {
        "entry": f"{tool('gitleaks')} git --pre-commit --redact --staged --verbose",
        "pass_filenames": False,
    },
    "hadolint": {"entry": tool("hadolint"), "types": ["dockerfile"]},
    "isort": {"entry": "isort", "args": ["--filter-files"], **PYTHON},
    "ruff-check": {"entry": "ruff check --force-exclude", **PYTHON},
    "ruff-format": {"entry": "ruff format --force-exclude", **PYTHON},
    "shellcheck": {"entry": tool("shellcheck"), "types": ["shell"], "require_serial": True},
    "trailing-whitespace": {"entry": "trailing-whitespace-fixer", "types": ["text"]},
}
REVISION = re.compile(r"- repo: (https://\S+)\n    rev: (\S+)(?:  # frozen: (\S+))?\n")


def with_installed_hooks(project: Path, folder: Path) -> Path:
    """Copy a project into a new git repository, with hooks that need no clone; return its folder."""
    shutil.copytree(project, folder)
    path = folder / ".pre-commit-config.yaml"
    text = path.read_text()
    tags = {url: tag for url, _, tag in REVISION.findall(text)}
    config = yaml.safe_load(text)
    for repository in config["repos"]:
        if repository["repo"] == "local":
            continue
        name = repository["repo"].rpartition("/")[2]
        language: dict[str, Any] = {"language": "system"}
        if name == "pre-commit-hooks":
            package = f"{name}=={tags[repository['repo']].removeprefix('v')}"
            language = {"language": "python", "additional_dependencies": [package]}
        repository["hooks"] = [
            {
                "name": hook["id"],
                **language,
                **CLONED.get(hook["id"], {"entry": hook["id"], **PYTHON}),
                **hook,
            }
            for hook in repository["hooks"]
        ]
        del repository["rev"]
        repository["repo"] = "local"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    for command in (["init", "--quiet"], ["add", "--all"]):
        succeed("git", *command, cwd=folder)
    return folder


def test_the_hooks_have_the_versions_of_the_requirements(project: Path) -> None:
    pinned = lock.versions((project / "requirements-dev.txt").read_text())
    revisions = REVISION.findall((project / ".pre-commit-config.yaml").read_text())
    followed = set()
    for url, revision, tag in revisions:
        program = re.sub("-pre-commit.*", "", url.rpartition("/")[2])
        if program in pinned:
            assert [revision.removeprefix("v")] == pinned[program]
            followed.add(program)
        else:
            # A tag can be moved.
            assert re.fullmatch("[0-9a-f]{40}", revision), url
            assert re.fullmatch(r"v\d[\d.]*", tag), url
    (style,) = [
        entry["packages"]
        for entry in CATALOGUE["_code_styles"].values()
        if pinned.keys() >= {*entry["packages"]}
    ]
    assert followed == {"django-upgrade", *style}


@pytest.fixture(scope="session")
def pre_commit_home(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the folder of pre-commit's environments."""
    return str(tmp_path_factory.mktemp("pre-commit"))


@pytest.mark.project
@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_its_hooks_change_nothing_before_the_first_commit(
    answers: dict[str, str],
    bake: Bake,
    environment: Environment,
    tmp_path: Path,
    pre_commit_home: str,
) -> None:
    programs = environment(answers["django_version"])
    folder = with_installed_hooks(bake(**answers), tmp_path / "project")
    path = folder / ".pre-commit-config.yaml"
    manager = CATALOGUE["_package_managers"][answers["package_manager"]]
    path.write_text(
        path.read_text()
        .replace(f"entry: {manager['run']}", "entry: ")
        .replace(f"=true {manager['run']}", "=true ")
    )
    succeed("git", "add", "--all", cwd=folder)
    env = linter_env(programs) | {"PRE_COMMIT_HOME": pre_commit_home}
    succeed("pre-commit", "run", "--all-files", "--show-diff-on-failure", cwd=folder, env=env)
    assert succeed("git", "diff", "--stat", cwd=folder) == ""


def test_hooks_find_a_secret(bake: Bake, tmp_path: Path) -> None:
    folder = with_installed_hooks(bake(), tmp_path / "project")
    command = CLONED["gitleaks"]["entry"]
    succeed("sh", "-c", command, cwd=folder)
    token = "ghp_" + "x7Kq2ZpL9sWd4RtY8uVbN3mA6cFg1HjE5iQo"
    (folder / "leak.py").write_text(f'TOKEN = "{token}"\n')
    succeed("git", "add", "leak.py", cwd=folder)
    result = run("sh", "-c", command, cwd=folder)
    assert result.returncode == 1
    assert token not in result.stdout


@pytest.mark.project
@pytest.mark.parametrize("manager", CHOICES["package_manager"])
def test_the_lint_job_of_its_ci_passes_as_written(
    manager: str,
    bake: Bake,
    environment_python: Path,
    tmp_path: Path,
    pre_commit_home: str,
) -> None:
    folder = with_installed_hooks(bake(package_manager=manager), tmp_path / "project")
    (folder / ".env").unlink()  # A checkout has none.
    env = {
        "PATH": f"{environment_python.parent}:{os.environ['PATH']}:{Path(tool('uv')).parent}",
        "PIPENV_VENV_IN_PROJECT": "1",
        "PIPX_HOME": str(tmp_path / "pipx"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PRE_COMMIT_HOME": pre_commit_home,
        "UV_PYTHON_DOWNLOADS": "never",
    }
    program(*BROWSERS)
    program("chromedriver")
    steps = ci_steps(folder, "lint")
    assert [step["name"] for step in steps][-4:] == [
        "Install",
        "Lint",
        "Check the settings of production",
        "Look at the pages in a browser",
    ]
    for step in steps:
        succeed("bash", "-ec", step["run"], cwd=folder, env=env | step["env"])
    assert len(list(folder.glob("reports/*.png"))) >= 5


def test_make_writes_an_env_where_there_is_none(bake: Bake, tmp_path: Path) -> None:
    project = bake()
    folder = tmp_path / "project"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(".env"))
    printed = succeed("make", ".env", cwd=folder)
    given, made = env_values(project / ".env"), env_values(folder / ".env")
    # A checkout in a folder with another name has its own containers.
    assert made.pop("COMPOSE_PROJECT_NAME") == folder.name
    assert made.pop("IPV6", "false") == "false"
    assert made.keys() == given.keys()
    secrets = [value for value in made.values() if re.fullmatch("[0-9a-f]{64}", value)]
    assert len(set(secrets)) == 5
    assert {name for name in made if made[name] != given[name]} == {
        name for name in made if made[name] in secrets
    }
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert not any(secret in printed for secret in secrets)
    before = (folder / ".env").read_bytes()
    succeed("make", ".env", cwd=folder)
    assert (folder / ".env").read_bytes() == before


@pytest.mark.project
@pytest.mark.parametrize(
    "name",
    ["DJANGO_SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL"],
)
def test_production_does_not_start_without(name: str, bake: Bake, environment_python: Path) -> None:
    settings = {key: value for key, value in PRODUCTION.items() if key != name}
    folder = bake(task_queue=CHOICES["task_queue"][-1])
    result = run(environment_python, "-c", "import config.wsgi", cwd=folder, env=settings)
    assert result.returncode != 0
    assert f"Set the {name} environment variable" in result.stdout


@pytest.mark.project
@pytest.mark.parametrize("database", [*SERVERS])
def test_a_replica_is_as_its_primary(database: str, bake: Bake, environment_python: Path) -> None:
    url = Template(SERVERS[database]["url"]).substitute(DATABASE_PASSWORD="secret")
    env = PRODUCTION | {
        "DATABASE_URL": url,
        "DATABASE_REPLICA_URLS": url.replace(f"@{database}", "@replica"),
    }
    command = "import json; from config.settings import *; print(json.dumps(DATABASES))"
    folder = bake(database=database)
    primary, replica = json.loads(
        succeed(environment_python, "-c", command, cwd=folder, env=env)
    ).values()
    assert (primary.pop("HOST"), replica.pop("HOST")) == (database, "replica")
    assert primary["OPTIONS"]
    assert replica == primary | {"TEST": {"MIRROR": "default"}}
    command = "import config.settings"
    env["DATABASE_REPLICA_URLS"] = url.replace("://", "s://")
    result = run(environment_python, "-c", command, cwd=folder, env=env)
    assert "DATABASE_REPLICA_URLS is not a URL of the kind that is needed" in result.stdout
    assert url not in result.stdout


@pytest.mark.project
def test_requests_read_from_the_replica_that_answers(
    bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    """Two files stand for the servers: what a page shows says which of them was read."""
    code = """if True:
        import shutil
        import django
        django.setup()
        from django.core.management import call_command
        from django.db import connections
        from django.test import Client
        from my_site.drainage.models import District
        call_command("migrate", verbosity=0)
        primary, _, replica = (entry["NAME"] for entry in connections.databases.values())
        shutil.copy(primary, replica)
        District.objects.create(code="98", name="On the primary only")
        sees = lambda client: client.get("/districts/98/").status_code == 200
        visitor, writer = Client(), Client()
        writer.post("/nowhere/")
        ready = visitor.get("/health/ready").json()["checks"]["database"]
        print(District.objects.count() > 0, sees(visitor), sees(writer), sees(visitor), ready)
    """
    env = {
        "ALLOWED_HOSTS": "testserver",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'primary'}",
        "DATABASE_REPLICA_URLS": f"sqlite:////nowhere/down, sqlite:///{tmp_path / 'replica'}",
        "DJANGO_DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    printed = succeed(environment_python, "-c", code, cwd=bake(), env=env)
    assert printed.splitlines()[-1] == "True False True False ok"


@pytest.mark.project
def test_log_level_also_holds_for_what_django_logs(bake: Bake, environment_python: Path) -> None:
    code = """if True:
        import logging
        import django
        django.setup()
        print(logging.getLogger("django.request").getEffectiveLevel() == logging.ERROR)
    """
    env = {
        "DJANGO_DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "error",
    }
    assert succeed(environment_python, "-c", code, cwd=bake(), env=env) == "True\n"


@pytest.mark.project
def test_a_new_variable_is_asked_for_by_the_server_only(
    bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(bake(), folder)
    with (folder / "config/settings.py").open("a") as settings:
        settings.write('PAYMENT_KEY = setting("PAYMENT_KEY", None)\n')
    env = {
        "DJANGO_DEBUG": "false",
        "PATH": f"{environment_python.parent}:{os.environ['PATH']}",
    }
    succeed("sh", "docker/entrypoint.sh", "collectstatic", cwd=folder, env=env)
    assert list(folder.glob("staticfiles/core/site.*.css"))
    (check,) = [step for step in ci_steps(folder, "lint") if "--deploy" in step["run"]]
    command = check["run"].removeprefix("uv run ")
    assert "no issues" in succeed("sh", "-c", command, cwd=folder, env=env | check["env"])
    for build in ("", "true"):
        server = PRODUCTION | {"DJANGO_BUILD": build}
        result = run(environment_python, "-c", "import config.wsgi", cwd=folder, env=server)
        assert result.returncode != 0
        assert "Set the PAYMENT_KEY environment variable" in result.stdout


@pytest.mark.project
def test_without_any_setting_the_server_is_not_a_development_server(
    bake: Bake, environment_python: Path
) -> None:
    settings = {name: value for name, value in PRODUCTION.items() if name != "DJANGO_DEBUG"}
    command = "import config.wsgi; from django.conf import settings; print(settings.DEBUG)"
    printed = succeed(environment_python, "-c", command, cwd=bake(), env=settings)
    assert printed.splitlines()[-1] == "False"


@pytest.mark.project
@pytest.mark.parametrize(
    "slug", ["accounts", "api", "core", "zebra", "a1", "a_name_as_long_as_names_may_be_x"]
)
def test_any_slug_gives_a_project_that_works(
    slug: str, bake: Bake, environment_python: Path
) -> None:
    more = {"services": CHOICES["services"][-1]}
    folder = bake(project_slug=slug, project_name=f'{slug} "{{}}" 한글 <b>', **more)
    lint(folder, environment_python.parent)
    # Where a module of the project has the same name.
    if slug in ("accounts", "api", "core"):
        succeed(environment_python, "-m", "pytest", "-p", "no:cacheprovider", cwd=folder)


def declare(folder: Path, **groups: list[str]) -> None:
    """Replace the packages of a project's groups: packages, dev and production."""
    pipfile, pyproject = folder / "Pipfile", folder / "pyproject.toml"
    for group, names in groups.items():
        if pipfile.exists():
            table = "dev-packages" if group == "dev" else group
            pairs = [re.match(r"(\w+)(.*)", name) for name in names]
            lines = "".join(f'{pair[1]} = "{pair[2] or "*"}"\n' for pair in pairs if pair)
            pattern, new = rf"(?m)^\[{table}\]\n([^\[#\n].*\n)*", f"[{table}]\n{lines}"
            path = pipfile
        else:
            key = "dependencies" if group == "packages" else group
            lines = "".join(f'    "{name}",\n' for name in names)
            pattern, new = rf"(?m)^{key} = \[\n(    .*\n)*\]", f"{key} = [\n{lines}]"
            path = pyproject
        text, count = re.subn(pattern, new, path.read_text())
        assert count == 1
        path.write_text(text)


def installed(folder: Path) -> dict[str, list[str]]:
    """Return the versions in both requirements files."""
    return lock.versions("".join(path.read_text() for path in sorted(folder.glob("requirements*"))))


@pytest.mark.project
@pytest.mark.parametrize("manager", CHOICES["package_manager"])
def test_make_lock_follows_the_list_of_packages_and_make_upgrade_renews_all(
    manager: str, bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    folder, programs = tmp_path / "project", environment_python.parent
    with_installed_hooks(bake(package_manager=manager), folder)
    declare(folder, packages=["django", "leaves"], dev=["tool"], production=["server"])
    index = tmp_path / "index"
    index.mkdir()
    # `leaves` alone needs `below`; `django` and `tool` share `common`.
    needs = {"django": "common", "leaves": "below", "tool": "common"}
    pins = {
        name: publish(index, name, "1.0", *filter(None, [needs.get(name)]))
        for name in ("below", "common", "django", "leaves", "server", "tool")
    }
    for file, left_out in (("requirements.txt", "tool"), ("requirements-dev.txt", "server")):
        (folder / file).write_text("".join(pin for name, pin in pins.items() if name != left_out))
    for name in pins:
        # What only the old version needs stays with it.
        publish(index, name, "2.0")
    publish(index, "joins", "1.0", "common")
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/pre-commit").symlink_to(programs / "pre-commit")
    env = {
        "PATH": f"{programs}:{Path(tool('uv')).parent}:{os.environ['PATH']}",
        # In the same process: half the time.
        "PIPENV_RESOLVER_PARENT_PYTHON": "1",
        # `uv run` and `pipenv run` take what is installed.
        "UV_PROJECT_ENVIRONMENT": str(programs.parent),
        "UV_NO_SYNC": "1",
        "VIRTUAL_ENV": str(programs.parent),
    }
    make = ["make", "IMAGE="]
    both = {"common": ["1.0"] * 2, "django": ["1.0"] * 2, "server": ["1.0"], "tool": ["1.0"]}
    with serve(index) as variables:
        env |= variables
        succeed(*make, "lock", cwd=folder, env=env)
        assert installed(folder) == both | {"below": ["1.0"] * 2, "leaves": ["1.0"] * 2}
        declare(folder, packages=["django", "joins"], production=["server>1"])
        succeed(*make, "lock", cwd=folder, env=env)
        assert installed(folder) == both | {"joins": ["1.0"] * 2, "server": ["2.0"]}
        # `make install` would install into the environment of all tests.
        upgrade = ["upgrade", *(["MAKE=true"] if manager != "uv" else [])]
        succeed(*make, *upgrade, cwd=folder, env=env)
        newest = {"django": ["2.0"] * 2, "server": ["2.0"], "tool": ["2.0"]}
        assert installed(folder) == newest | {"common": ["2.0"] * 2, "joins": ["1.0"] * 2}


@pytest.mark.project
@pytest.mark.parametrize(
    "answers", [{"task_queue": "celery"}, {"sample_app": "false"}], ids=["everything", "little"]
)
def test_make_messages_finds_nothing_that_is_not_translated(
    answers: dict[str, str], bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    program("msgfmt")
    folder = tmp_path / "project"
    shutil.copytree(bake(**answers), folder)
    path = folder / "locale/ko/LC_MESSAGES/django.po"
    before, compiled = path.read_text(), path.with_suffix(".mo").read_bytes()
    env = {
        "DJANGO_DEBUG": "true",
        "PATH": f"{here(tmp_path)}:{environment_python.parent}:{os.environ['PATH']}",
    }
    succeed("make", "messages", cwd=folder, env=env)
    # But for the header, which has the time.
    assert path.read_text().partition("\n\n")[2] == before.partition("\n\n")[2]
    assert 'msgstr ""\n\n' not in before
    assert "#, fuzzy" not in before
    # One compiled file for all projects: without the sample application or a task queue, it has more than is needed.
    new, old = (
        {**vars(GNUTranslations(BytesIO(data)))["_catalog"], "": ""}
        for data in (path.with_suffix(".mo").read_bytes(), compiled)
    )
    assert new.items() <= old.items()
    if "task_queue" in answers:
        assert new == old


def here(folder: Path) -> Path:
    """Return a folder with a `docker` that runs the backend's commands on this machine."""
    docker = folder / "bin/docker"
    docker.parent.mkdir()
    docker.write_text('#!/bin/sh\nwhile [ "$1" != backend ]; do shift; done\nshift\nexec "$@"\n')
    docker.chmod(0o755)
    return docker.parent


@pytest.mark.project
@pytest.mark.parametrize("django_version", CHOICES["django_version"])
def test_make_migrations_names_what_the_release_that_serves_cannot_live_with(
    django_version: str, bake: Bake, environment: Environment, tmp_path: Path
) -> None:
    programs, folder = environment(django_version), tmp_path / "project"
    answers = {"database": "sqlite", "sample_app": "false"}
    with_installed_hooks(bake(**answers, django_version=django_version), folder)
    succeed("git", "commit", "--quiet", "--message", "Start", cwd=folder)
    path = f"{here(tmp_path)}:{programs}:{os.environ['PATH']}"
    command = ["make", "--no-print-directory", "migrations"]
    env = {"DJANGO_DEBUG": "true", "PATH": path}
    assert succeed(*command, cwd=folder, env=env) == ""
    for name in ("0002_optional", "0002_default", "0002_drop"):
        (folder / f"my_site/accounts/migrations/{name}.py").write_text(MIGRATIONS[name])
    succeed("git", "add", "--all", cwd=folder)
    result = run(*command, cwd=folder, env=env)
    assert result.returncode
    results = dict(re.findall(r"\(accounts, (\w+)\)\.\.\. (\w+)", result.stdout))
    assert results == {"0002_optional": "OK", "0002_default": "OK", "0002_drop": "ERR"}
    succeed(
        "git", "rm", "--force", "--quiet", "my_site/accounts/migrations/0002_drop.py", cwd=folder
    )
    succeed(*command, cwd=folder, env=env)
    assert run(*command, "BASE=unknown", cwd=folder, env=env).returncode


@pytest.mark.project
@pytest.mark.parametrize("style", CHOICES["code_style"])
def test_any_name_gives_a_project_without_mistakes(
    style: str, bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    def project(name: str) -> Path:
        answers = dict.fromkeys(("project_name", "description", "author_name"), verbatim(name))
        return bake(**answers, project_slug="named", code_style=style, sample_app="false")

    # The code that a name changes is in a folder for each name, so that every linter starts only once.
    folder = tmp_path / "project"
    shutil.copytree(project(NAMES[0]), folder)
    for number, other in enumerate(map(project, NAMES[1:])):
        for path in other.rglob("*.py"):
            name = path.relative_to(other)
            if path.read_bytes() != (folder / name).read_bytes():
                target = folder / f"name_{number}" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    assert len([*folder.glob("name_*/config/settings.py")]) == len(NAMES) - 1
    entry = CATALOGUE["_code_styles"][style]
    for command in entry["unchanged"] + entry["checks"]:
        env = linter_env(environment_python.parent)
        succeed("sh", "-c", command, cwd=folder, env=env)


@pytest.mark.project
@pytest.mark.parametrize("answers", COMBINATIONS[:3], ids=label)
def test_a_new_app_is_clean_and_its_test_passes(
    answers: dict[str, str], bake: Bake, environment: Environment, tmp_path: Path
) -> None:
    programs = environment(answers["django_version"])
    folder = tmp_path / "project"
    shutil.copytree(bake(**answers), folder)
    prefix = CATALOGUE["_package_managers"][answers["package_manager"]]["run"]
    makefile = folder / "Makefile"
    makefile.write_text(makefile.read_text().replace(f"\t{prefix}", "\t"))
    command = ["make", "--no-print-directory", "--assume-old=install", "app"]
    env = linter_env(programs)
    assert run(*command, cwd=folder, env=env).returncode
    assert run(*command, "NAME=no-name", cwd=folder, env=env).returncode
    assert not (folder / "my_site/no-name").exists()
    printed = succeed(*command, "NAME=blog", cwd=folder, env=env)
    app, url = [line for line in printed.splitlines() if line.startswith("    ")]
    for name, before, line in (
        ("settings", "INSTALLED_APPS = [", app),
        ("urls", "urlpatterns: list[URLPattern | URLResolver] = [", url),
    ):
        path = folder / f"config/{name}.py"
        text = path.read_text().replace(before, f"{before}\n{line}").replace("include, ", "")
        path.write_text(text.replace("import URLPattern", "import include, URLPattern"))
    succeed(
        "sh",
        "-c",
        " && ".join(CATALOGUE["_code_styles"][answers["code_style"]]["format"]),
        cwd=folder,
        env=env,
    )
    lint(folder, programs)
    tests = ["my_site/blog/tests.py", "tests/test_pages.py"]
    printed = succeed(programs / "pytest", "-p", "no:cacheprovider", *tests, cwd=folder)
    assert "my_site/blog/tests.py ." in printed


# Where apps may lie, and what they may be called, with their tests in a file or in a folder.
TESTS = ["polls/tests.py", "my_site/build/tests.py", "my_site/reports/tests/test_models.py"]


@pytest.mark.project
@pytest.mark.parametrize("style", CHOICES["code_style"])
def test_every_app_is_tested_and_linted(
    style: str, bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    folder, env = tmp_path / "project", linter_env(environment_python.parent)
    shutil.copytree(bake(code_style=style), folder)
    for name in TESTS:
        app = folder.joinpath(*Path(name).parts[: name.count("/") - name.count("tests/")])
        (folder / name).parent.mkdir(parents=True)
        for package in {app, (folder / name).parent}:
            (package / "__init__.py").touch()
        (app / "models.py").write_text("import  os\n")
        (folder / name).write_text(f"def test_fails() -> None:\n    assert 'no' in {name!r}\n")
    words = ["-p", "no:cacheprovider", "-k", "test_fails", "--cov", "--cov-report=term"]
    result = run(environment_python, "-m", "pytest", *words, cwd=folder, env=env)
    assert result.returncode == 1
    assert f"{len(TESTS)} failed" in result.stdout
    entry = CATALOGUE["_code_styles"][style]
    linted = "".join(
        run("sh", "-c", command, cwd=folder, env=env).stdout
        for command in entry["unchanged"] + entry["checks"]
    )
    for name in TESTS:
        models = re.sub("tests.*", "models.py", name)
        assert models in result.stdout, "its coverage is not measured"
        assert models in linted


@pytest.mark.project
def test_its_tests_pass_with_other_pages_users_and_transactions(
    bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    folder, env = tmp_path / "project", {"DJANGO_DEBUG": "true"}
    shutil.copytree(bake(sample_app="false"), folder)
    (folder / "my_site/accounts").rename(folder / "my_site/people")
    for name, more in (
        ("settings", 'DATABASES["default"]["ATOMIC_REQUESTS"] = True\n'),
        (
            "urls",
            "from django.urls import re_path\nfrom django.views.generic import RedirectView\n"
            "urlpatterns[0] = re_path(\n"
            "    '^(?!accounts/|admin/|i18n/|nowhere/)',\n"
            "    RedirectView.as_view(pattern_name='admin:index'),\n    name='home',\n)\n",
        ),
    ):
        path = folder / f"config/{name}.py"
        path.write_text(re.sub(r"accounts\b(?!/)", "people", path.read_text()) + more)
    command = ["manage.py", "makemigrations", "--check", "--dry-run"]
    succeed(environment_python, *command, cwd=folder, env=env)
    succeed(environment_python, "-m", "pytest", "-p", "no:cacheprovider", cwd=folder)


@pytest.mark.project
@pytest.mark.parametrize(
    ("language", "zone"), [("ko", "Asia/Seoul"), ("pt-br", "America/Sao_Paulo")]
)
def test_language_and_time_zone_are_those_of_the_answers(
    language: str, zone: str, bake: Bake, environment_python: Path
) -> None:
    folder = bake(language_code=language, time_zone=zone)
    command = "from django.conf import settings as s; print(s.LANGUAGE_CODE, s.TIME_ZONE)"
    printed = succeed(environment_python, "manage.py", "shell", "-v0", "-c", command, cwd=folder)
    assert printed == f"{language} {zone}\n"
