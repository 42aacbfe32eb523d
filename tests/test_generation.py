"""What is generated: the files, their form, and that two runs give the same."""

import configparser
import itertools
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from cookiecutter.main import cookiecutter

from tests.support.catalogue import CATALOGUE, CHOICES, COMBINATIONS, ROOT
from tests.support.choices import (
    allowed,
    choices,
    combinations,
    everything,
    few,
    label,
    pairs,
    parts,
)
from tests.support.commands import run, succeed, tool
from tests.support.contracts import CATALOGUES
from tests.support.names import NAMES, verbatim
from tests.support.projects import Bake, env_values
from tests.support.stacks import developments, servers, stacks

COMMON = [
    ".cruft.json",
    ".dockerignore",
    ".editorconfig",
    ".env",
    ".env.example",
    ".gitattributes",
    ".github/dependabot.yml",
    ".github/workflows/audit.yml",
    ".github/workflows/ci.yml",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".python-version",
    "Dockerfile",
    "Makefile",
    "README.md",
    "bin/deploy",
    "config/__init__.py",
    "config/app/__init__.py-tpl",
    "config/app/migrations/__init__.py-tpl",
    "config/app/models.py-tpl",
    "config/app/templates/app_name/index.html",
    "config/app/tests.py-tpl",
    "config/app/urls.py-tpl",
    "config/app/views.py-tpl",
    "config/asgi.py",
    "config/environment.py",
    "config/error_tracking.py",
    "config/health.py",
    "config/metrics.py",
    "config/middleware.py",
    "config/settings.py",
    "config/storage.py",
    "config/tracing.py",
    "config/urls.py",
    "config/wsgi.py",
    "docker-compose.override.yml",
    "docker-compose.tls.yml",
    "docker-compose.yml",
    "docker/backup.py",
    "docker/database/backup.sh",
    "docker/entrypoint.sh",
    "docker/healthcheck.py",
    "docs/operations.md",
    "docs/recipes.md",
    "locale/ko/LC_MESSAGES/django.mo",
    "locale/ko/LC_MESSAGES/django.po",
    "manage.py",
    "my_site/__init__.py",
    "my_site/accounts/__init__.py",
    "my_site/accounts/admin.py",
    "my_site/accounts/apps.py",
    "my_site/accounts/migrations/0001_initial.py",
    "my_site/accounts/migrations/__init__.py",
    "my_site/accounts/models.py",
    "my_site/accounts/templates/registration/login.html",
    "my_site/accounts/templates/registration/password_reset_complete.html",
    "my_site/accounts/templates/registration/password_reset_confirm.html",
    "my_site/accounts/templates/registration/password_reset_done.html",
    "my_site/accounts/templates/registration/password_reset_form.html",
    "my_site/accounts/tests.py",
    "my_site/accounts/urls.py",
    "my_site/core/__init__.py",
    "my_site/core/management/__init__.py",
    "my_site/core/management/commands/__init__.py",
    "my_site/core/management/commands/wait_for_database.py",
    "my_site/core/static/core/admin.css",
    "my_site/core/static/core/icon.svg",
    "my_site/core/static/core/site.css",
    "my_site/core/templates/403_csrf.html",
    "my_site/core/templates/404.html",
    "my_site/core/templates/500.html",
    "my_site/core/templates/admin/base_site.html",
    "my_site/core/templates/core/base.html",
    "my_site/core/templates/core/home.html",
    "my_site/core/templatetags/__init__.py",
    "my_site/core/templatetags/site.py",
    "my_site/core/tests.py",
    "my_site/core/translations.py",
    "my_site/core/views.py",
    "nginx/Dockerfile",
    "nginx/backend.conf",
    "nginx/certificates.sh",
    "nginx/entrypoint.sh",
    "nginx/challenges.conf",
    "nginx/health.conf",
    "nginx/locations.conf",
    "nginx/nginx.conf",
    "nginx/release.sh",
    "nginx/site.conf.template",
    "nginx/tls.conf.template",
    "nginx/unavailable.html",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
    "tests/__init__.py",
    "tests/test_environment.py",
    "tests/test_error_tracking.py",
    "tests/test_health.py",
    "tests/test_languages.py",
    "tests/test_metrics.py",
    "tests/test_pages.py",
    "tests/test_requirements.py",
    "tests/test_static_files.py",
    "tests/test_tracing.py",
    "tests/test_wait_for_database.py",
]
# Every database and every cache with a server has these.
DATABASE = [
    "config/database/__init__.py",
    "config/database/base.py",
    "config/database/replicas.py",
    "docker/database/Dockerfile",
    "docker/database/test-database.sql",
    "tests/test_database.py",
    "tests/test_replicas.py",
]
CACHE = ["config/cache.py", "tests/test_cache.py"]
KUBERNETES = [
    "kubernetes/base/account.yml",
    "kubernetes/base/jobs.yml",
    "kubernetes/base/kustomization.yml",
    "kubernetes/base/network.yml",
    "kubernetes/base/settings.env",
    "kubernetes/base/web.yml",
    "kubernetes/components/media/claim.yml",
    "kubernetes/components/media/kustomization.yml",
    *(
        f"kubernetes/overlays/{overlay}/{name}"
        for overlay in ("production", "staging")
        for name in ("kustomization.yml", "namespace.yml", "settings.env")
    ),
]
KEDA = ["kubernetes/components/keda/kustomization.yml", "kubernetes/components/keda/scaling.yml"]


def deployment(entry: dict[str, Any]) -> list[str]:
    """Return the files that only a way to deploy needs, from its catalogue entry."""
    over_ssh = [".github/workflows/deploy.yml", "bin/over-ssh", "bin/server-setup"]
    return [
        f"docs/{entry['guide']}" if entry["guide"] else "bin/restore",
        *(over_ssh if entry["over_ssh"] else ()),
        *([entry["stack"]] if entry["stack"] else ()),
        *(KUBERNETES if entry["manifests"] else ()),
    ]


def together(answers: dict[str, str]) -> list[str]:
    """Return the files that two answers need together: what runs a server or a worker in a cluster."""
    database = CATALOGUE["_databases"][answers["database"]]["image"]
    broker = CATALOGUE["_task_queues"][answers["task_queue"]]["image"]
    cache = CATALOGUE["_caches"][answers["cache"]]["image"]
    servers = {"database": database, "cache": cache, "broker": broker}
    deploy = CATALOGUE["_deploys"][answers["deploy"]]
    manifests = [
        *(
            f"kubernetes/components/{kind}/{name}"
            for kind, image in servers.items()
            for name in ("kustomization.yml", "server.yml")
            if image
        ),
        *(["kubernetes/base/scaling.yml"] if database else ()),
        *(["kubernetes/base/tasks.yml"] if broker else ()),
        *(KEDA if database and broker else ()),
    ]
    stack = ["docker-stack.servers.yml"] if any(servers.values()) else []
    return [*(manifests if deploy["manifests"] else ()), *(stack if deploy["stack"] else ())]


SERVICES = [
    "docker-compose.services.yml",
    "my_site/services/__init__.py",
    "my_site/services/callers.py",
    "my_site/services/client.py",
    "my_site/services/decorators.py",
    "my_site/services/middleware.py",
    "my_site/services/settings.py",
    "my_site/services/tokens.py",
    "my_site/services/views.py",
    "tests/test_services.py",
]
# Files that only one answer needs, in addition to the common ones.
ONLY = {
    **{
        f"database={name}": [*DATABASE, f"docker/database/{entry['setup']['file']}"]
        for name, entry in CATALOGUE["_databases"].items()
        if entry["image"]
    },
    **{f"cache={name}": CACHE for name, entry in CATALOGUE["_caches"].items() if entry["image"]},
    **{
        f"{question}={name}": [entry["config"]]
        for question in ("app_server", "package_manager", "code_style")
        for name, entry in CATALOGUE[CATALOGUES[question]].items()
        if entry["config"]
    },
    **{f"deploy={name}": deployment(entry) for name, entry in CATALOGUE["_deploys"].items()},
    **{
        f"task_queue={name}": [
            f"config/{entry['config']}",
            f"docker/{entry['health']}",
            "my_site/core/tasks.py",
            "tests/test_tasks.py",
        ]
        for name, entry in CATALOGUE["_task_queues"].items()
        if entry["image"]
    },
    **{
        f"services={name}": SERVICES
        for name, entry in CATALOGUE["_services"].items()
        if entry["over_http"]
    },
    "package_manager=pipenv": ["Pipfile", "docker/lock.py"],
    "sample_app=true": [
        "docs/testing.md",
        "my_site/api/__init__.py",
        "my_site/api/errors.py",
        "my_site/api/parsers.py",
        "my_site/api/serializers.py",
        "my_site/api/settings.py",
        "my_site/api/templates/api/docs.html",
        "my_site/api/urls.py",
        "my_site/drainage/__init__.py",
        "my_site/drainage/admin.py",
        "my_site/drainage/api.py",
        "my_site/drainage/apps.py",
        "my_site/drainage/current.py",
        "my_site/drainage/management/__init__.py",
        "my_site/drainage/management/commands/__init__.py",
        "my_site/drainage/management/commands/seed_readings.py",
        "my_site/drainage/migrations/0001_initial.py",
        "my_site/drainage/migrations/__init__.py",
        "my_site/drainage/models.py",
        "my_site/drainage/serializers.py",
        "my_site/drainage/static/drainage/drainage.css",
        "my_site/drainage/templates/drainage/base.html",
        "my_site/drainage/templates/drainage/cards.html",
        "my_site/drainage/templates/drainage/chart.html",
        "my_site/drainage/templates/drainage/district_list.html",
        "my_site/drainage/templates/drainage/links.html",
        "my_site/drainage/templates/drainage/pages.html",
        "my_site/drainage/templates/drainage/reading_list.html",
        "my_site/drainage/templatetags/__init__.py",
        "my_site/drainage/templatetags/charts.py",
        "my_site/drainage/urls.py",
        "my_site/drainage/views.py",
        "my_site/kakao/__init__.py",
        "my_site/kakao/api.py",
        "my_site/kakao/apps.py",
        "my_site/kakao/client.py",
        "my_site/kakao/migrations/0001_initial.py",
        "my_site/kakao/migrations/__init__.py",
        "my_site/kakao/models.py",
        "tests/conftest.py",
        "tests/factories.py",
        "tests/test_api.py",
        "tests/test_browser.py",
        "tests/test_districts.py",
        "tests/test_kakao.py",
        "tests/test_unittest_api.py",
    ],
}
# Files that the sample application needs besides if there is a task queue.
SAMPLE_TASKS = ["my_site/drainage/tasks.py", "tests/test_import.py"]
# The same for calls between services.
SAMPLE_SERVICES = ["my_site/services/authentication.py", "tests/test_services_api.py"]
# Django's templates, Docker's formats, the shell's lengths and the expressions of GitHub Actions are theirs, not ours.
JINJA = re.compile(
    r"(?<!\$)\{\{(?!\.|(index|json|range|println|with|end)\b)|\{%|(?<!\$)\{#|cookiecutter"
)


def files(project: Path) -> dict[str, bytes]:
    """Return the contents of a project's files by their paths."""
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in sorted(project.rglob("*"))
        if path.is_file()
    }


def texts(project: Path) -> dict[str, str]:
    """Return the texts of a project's files by their paths."""
    return {
        name: contents.decode()
        for name, contents in files(project).items()
        if b"\0" not in contents
    }


@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_the_files_are_those_that_the_answers_need(answers: dict[str, str], bake: Bake) -> None:
    only = [name for answer in answers.items() for name in ONLY.get("=".join(answer), [])]
    if (
        answers["sample_app"] == "true"
        and CATALOGUE["_task_queues"][answers["task_queue"]]["image"]
    ):
        only += SAMPLE_TASKS
    if answers["sample_app"] == "true" and CATALOGUE["_services"][answers["services"]]["over_http"]:
        only += SAMPLE_SERVICES
    assert set(files(bake(**answers))) == {*COMMON, *only, *together(answers)}


def tracked(*folders: str) -> list[str]:
    """Return the files of this repository that git tracks, in some folders or in all."""
    return succeed("git", "ls-files", "-z", *folders, cwd=ROOT).split("\0")[:-1]


def test_windows_can_hold_every_file_of_this_repository() -> None:
    assert [name for name in tracked() if re.search(r'[<>:"|?*\\]|[. ](/|$)', name)] == []


def test_the_names_of_files_are_expressions() -> None:
    assert [name for name in tracked() if "{%" in name] == []


def test_no_template_compares_the_name_of_a_choice() -> None:
    names = tracked("templates", "hooks", "{{cookiecutter.project_slug}}")
    compared = re.compile(rf"cookiecutter\.({'|'.join(CHOICES)}) *(==|!=|in\b|not\b)")
    found = [
        name for name in names if compared.search(name + (ROOT / name).read_text(errors="replace"))
    ]
    assert found == []


def test_no_folder_is_empty(project: Path) -> None:
    assert not [path for path in project.rglob("*") if path.is_dir() and not any(path.iterdir())]


def test_nothing_of_the_template_is_left(project: Path) -> None:
    for name, text in texts(project).items():
        if not name.endswith((".html", ".py-tpl", ".cruft.json")):
            assert not JINJA.search(text), name


def test_every_text_has_a_clean_form(project: Path) -> None:
    for name, text in texts(project).items():
        assert "\r" not in text, name
        assert not re.search(r"[ \t]$", text, re.MULTILINE), f"{name}: blanks at the end of a line"
        assert not text.startswith("\n"), f"{name}: begins with an empty line"
        assert text == "" or re.search(r"[^\n]\n\Z", text), f"{name}: one line end at the end"
        # Recipes have parts of Python files.
        limit = 3 if name.endswith((".py", ".py-tpl", "recipes.md")) else 2
        assert "\n" * (limit + 1) not in text, f"{name}: a run of empty lines"
        if name.endswith(".html"):
            assert not re.search(r"\n\n ", text), f"{name}: an empty line within an element"


yaml.SafeLoader.add_constructor("!override", lambda load, node: load.construct_sequence(node))  # type: ignore[arg-type]


def test_every_structured_file_parses(project: Path) -> None:
    loader = yaml.SafeLoader
    for name, text in texts(project).items():
        match Path(name).suffix:
            case ".yml":
                assert all(yaml.load_all(text, loader))
            case ".toml":
                assert tomllib.loads(text)
            case ".json":
                assert json.loads(text)
            case ".ini" | ".cnf":
                parser = configparser.ConfigParser(interpolation=None, allow_no_value=True)
                parser.read_string(text)
                assert parser.sections()
            case ".py":
                compile(text, name, "exec")


def test_the_other_service_of_the_image_or_its_example_is_complete(project: Path) -> None:
    services = {}
    for name in ("docker-compose.yml", "docker-compose.override.yml"):
        text = (project / name).read_text()
        if example := re.search(r"(?m)^  # worker:\n(  #   .*\n)+", text):
            text = text.replace(example[0], example[0].replace("  # ", "  "))
        services[name] = yaml.load(text, yaml.SafeLoader)["services"]
    production, development = services.values()
    worker, backend = production["worker"], production["backend"]
    for key in ("image", "environment", "read_only", "tmpfs"):
        assert worker[key] == backend[key]
    assert worker["deploy"]["resources"]
    assert set(worker["networks"]) == set(backend["networks"])
    assert set(worker["volumes"]) <= set(backend["volumes"])
    assert "build" not in worker
    assert ("healthcheck" in worker) == ("broker" in production)
    assert development["worker"]["image"] == development["backend"]["image"]
    assert development["worker"]["volumes"] == ["./:/app"]


@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_what_was_not_chosen_is_not_mentioned(answers: dict[str, str], bake: Bake) -> None:
    everything = "\n".join(texts(bake(**answers)).values())
    for question in ("database", "cache", "app_server"):
        catalogue = CATALOGUES[question]
        chosen = CATALOGUE[catalogue][answers[question]]
        for name in CHOICES[question]:
            entry = CATALOGUE[catalogue][name]
            if name == answers[question] or not (image := entry.get("image", entry["label"])):
                continue
            if image == CATALOGUE["_task_queues"][answers["task_queue"]]["image"]:
                continue
            assert image not in everything
            # SQLite and local memory are the embedded default of every project.
            if entry["label"] != chosen["label"]:
                assert not re.search(rf"\b{entry['label']}\b", everything), entry["label"]


@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_only_the_package_manager_that_was_chosen_is_mentioned(
    answers: dict[str, str], bake: Bake
) -> None:
    everything = "\n".join(texts(bake(**answers)).values())
    # pip also installs packages into the image, and is a command of uv.
    for name in {*CHOICES["package_manager"]} - {answers["package_manager"], "pip"}:
        assert not re.search(rf"\b{name}\b", everything, re.IGNORECASE), name


@pytest.mark.parametrize(
    "answers", [row for row in COMBINATIONS if row["sample_app"] == "false"], ids=label
)
def test_without_the_sample_application_there_is_no_trace_of_it(
    answers: dict[str, str], bake: Bake
) -> None:
    folder = bake(**answers)
    words = (
        "sample|drainage|district|reading|kakao|rest_framework|spectacular|selenium|testmon|api/"
    )
    for name, text in texts(folder).items():
        if name not in (".cruft.json", "requirements.txt", "requirements-dev.txt"):
            assert not re.search(words, re.sub("loading|threading", "", text)), name
    requirements = "".join(path.read_text() for path in folder.glob("requirements*.txt"))
    queue = CATALOGUE["_task_queues"][answers["task_queue"]]
    calls = CATALOGUE["_services"][answers["services"]]
    sample = CATALOGUE["_packages"]["sample"] + CATALOGUE["_packages"]["sample_dev"]
    for package in {*sample} - {*queue["dev_packages"], *calls["packages"]}:
        assert f"{package.partition('[')[0]}==" not in requirements


@pytest.mark.parametrize("queue", CHOICES["task_queue"])
def test_what_calls_other_projects_is_on_their_network(queue: str, bake: Bake) -> None:
    project = bake(task_queue=queue, services=CHOICES["services"][-1])
    compose, more = (
        yaml.safe_load((project / name).read_text())["services"]
        for name in ("docker-compose.yml", "docker-compose.services.yml")
    )
    assert {*more} == {"backend", "nginx", "worker"} & {*compose}
    assert all("services" in entry["networks"] for entry in more.values())


def test_the_parts_of_the_api_live_with_the_api(bake: Bake) -> None:
    # A path into a package of the API framework; INSTALLED_APPS has only the packages' names.
    path = re.compile(r"\b(drf|rest)_\w+[. ]")
    code = {
        name: text
        for name, text in texts(bake()).items()
        if name.startswith(("config/", "my_site/"))
    }
    apps = {Path(name).parent.name for name, text in code.items() if path.search(text)}
    assert apps == {"api", "drainage", "kakao"}


def test_two_runs_give_equal_bytes(
    project: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    answers = request.node.callspec.params["project"]
    again = Path(
        cookiecutter(str(ROOT), no_input=True, extra_context=answers, output_dir=str(tmp_path))
    )
    first, second = files(project), files(again)
    assert first.pop(".env") != second.pop(".env")
    assert first == second
    modes = {name: stat.S_IMODE((project / name).stat().st_mode) for name in first}
    assert modes == {name: stat.S_IMODE((again / name).stat().st_mode) for name in first}


def test_scripts_can_be_run(project: Path) -> None:
    for name, text in texts(project).items():
        assert os.access(project / name, os.X_OK) == text.startswith("#!"), name


def test_env_has_a_random_value_for_each_secret(project: Path) -> None:
    example, env = env_values(project / ".env.example"), env_values(project / ".env")
    secrets = [name for name, value in example.items() if not value]
    assert "DJANGO_SECRET_KEY" in secrets
    assert env == {**env, **{name: value for name, value in example.items() if value}}
    values = [env[name] for name in secrets]
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values)
    assert len(set(values)) == len(values)


def test_env_is_for_its_owner_only(project: Path) -> None:
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600


def test_compose_asks_for_no_variable_that_the_example_does_not_describe(project: Path) -> None:
    asked: set[str] = set()
    for path in project.glob("docker-compose*.yml"):
        text = path.read_text(encoding="utf-8")
        asked |= set(
            re.findall(r"(?<!\$)\$\{(\w+)", text) + re.findall(r"(?m)^ +([A-Z_]+):$", text)
        )
    example = (project / ".env.example").read_text(encoding="utf-8")
    described = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))
    # Compose itself reads the first, and bin/deploy IMAGE; bin/deploy writes the others.
    assert asked ^ described == {"COMPOSE_FILE", "DEPLOYMENT", "IMAGE", "RELEASE"}


def test_git_never_tracks_the_secrets(bake: Bake, tmp_path: Path) -> None:
    project = bake()
    git = ["git", f"--git-dir={tmp_path}", f"--work-tree={project}"]
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run([*git, *command], check=True, cwd=project)
    tracked = subprocess.run(
        [*git, "ls-files"], check=True, cwd=project, capture_output=True, text=True
    ).stdout.split()
    assert ".env.example" in tracked
    assert ".env" not in tracked
    secrets = env_values(project / ".env")
    everything = b"".join((project / name).read_bytes() for name in tracked)
    assert secrets["DJANGO_SECRET_KEY"].encode() not in everything


@pytest.mark.parametrize("database", CHOICES["database"])
def test_the_client_of_the_database_is_installed_or_described(database: str, bake: Bake) -> None:
    project, entry = bake(database=database), CATALOGUE["_databases"][database]
    pins = (project / "requirements-dev.txt").read_text()
    for package in entry["packages"]:
        installed = re.search(rf"(?m)^{package.partition('[')[0]}==", pins)
        assert installed or " ".join(entry["build_apt"]) in (project / "README.md").read_text()


@pytest.mark.parametrize(
    "database",
    [name for name, entry in CATALOGUE["_databases"].items() if entry["engine"].endswith(".mysql")],
)
def test_a_backup_counts_what_is_no_table(database: str, bake: Bake, tmp_path: Path) -> None:
    script = (bake(database=database) / "docker/database/backup.sh").read_text()
    client = tmp_path / "client"
    client.write_text("#!/bin/sh\ncase $* in *.triggers*) echo 3;; *COUNT*) echo 0;; esac\n")
    client.chmod(0o755)
    functions = script[: script.index("\ncase ")].replace("cd /backups", "")
    functions = functions.replace(f"{database} --user", f"{client} --user")
    command = f"{functions}\nrows site"
    assert succeed("bash", "-c", command, cwd=tmp_path) == "(triggers)\t3\t3\n"
    assert "--routines --triggers --events" in script


APPS = ["build", "dist", "docs", "htmlcov", "logs", "media", "nginx", "reports", "staticfiles"]


@pytest.mark.parametrize("ignores", [".gitignore", ".dockerignore"])
def test_an_app_may_have_any_name(ignores: str, bake: Bake, tmp_path: Path) -> None:
    (tmp_path / ignores).write_text((bake() / ignores).read_text("utf-8"), encoding="utf-8")
    apps = {f"my_site/{name}/models.py" for name in APPS}
    for name in apps:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    succeed("git", "init", "--quiet", cwd=tmp_path)
    # git looks for an entry in every folder, unless it begins with a slash; Docker never does.
    kept = succeed("git", "ls-files", "--others", "--exclude-from", ignores, cwd=tmp_path)
    assert apps <= set(kept.split())


def regenerate(output: Path, **answers: str) -> Path:
    """Generate into a folder, over what is already there."""
    return Path(
        cookiecutter(
            str(ROOT),
            no_input=True,
            extra_context=answers,
            output_dir=str(output),
            overwrite_if_exists=True,
        )
    )


def test_generating_again_keeps_the_env(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    env = regenerate(tmp_path) / ".env"
    env.write_text(env.read_text() + "MINE=1\n")
    before = env.read_bytes()
    capfd.readouterr()
    regenerate(tmp_path)
    assert env.read_bytes() == before
    assert "Kept the existing my_site/.env." in capfd.readouterr().out


def test_generating_again_keeps_every_file_of_the_user(tmp_path: Path) -> None:
    project = regenerate(tmp_path)
    folders = [project, *(path for path in project.rglob("*") if path.is_dir())]
    mine = [folder / "mine.txt" for folder in folders]
    for path in mine:
        path.touch()
    regenerate(tmp_path)
    assert [path for path in mine if not path.exists()] == []


def test_generating_with_other_answers_names_the_secrets_that_the_env_lacks(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    env = regenerate(tmp_path, database="sqlite", cache="locmem") / ".env"
    before = env.read_bytes()
    regenerate(tmp_path, database="mysql", cache="redis")
    assert env.read_bytes() == before
    lacks = "It lacks DATABASE_PASSWORD, DATABASE_ROOT_PASSWORD, CACHE_PASSWORD: see .env.example."
    assert lacks in capfd.readouterr().out


def test_no_secret_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    env = env_values(regenerate(tmp_path) / ".env")
    printed = "".join(capfd.readouterr())
    assert env["DJANGO_SECRET_KEY"] not in printed
    assert env["DATABASE_PASSWORD"] not in printed


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_same_everywhere_it_stands(name: str, bake: Bake) -> None:
    answers = dict.fromkeys(("project_name", "description", "author_name"), verbatim(name))
    project = bake(**answers, project_slug="named")
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["description"] == metadata["authors"][0]["name"] == name
    settings = (project / "config/settings.py").read_text(encoding="utf-8")
    assignment = re.search(r"^SITE_NAME = .*$", settings, re.MULTILINE)
    assert assignment
    scope: dict[str, str] = {}
    exec(assignment[0], scope)  # noqa: S102
    assert scope["SITE_NAME"] == name


def test_a_korean_name_makes_a_usable_slug(bake: Bake) -> None:
    project = bake(project_name="한강 수위 관측소")
    assert project.name == "hangang_suwi_gwanceugso"
    assert (project / project.name / "core/views.py").is_file()


@pytest.mark.parametrize("domain", ["localhost", "www.example.co.kr"])
def test_a_host_is_named_once(domain: str, bake: Bake) -> None:
    hosts = env_values(bake(domain_name=domain) / ".env")["ALLOWED_HOSTS"].split()
    assert hosts[0] == domain
    assert len(set(hosts)) == len(hosts)


def test_every_question_and_every_choice_has_a_label() -> None:
    prompts = CATALOGUE["__prompts__"]
    questions = [name for name in CATALOGUE if not name.startswith("_")]
    assert list(prompts) == questions
    for name, values in CHOICES.items():
        if isinstance(CATALOGUE[name], list):
            assert set(prompts[name]) == {"__prompt__", *values}


def test_the_command_line_generates_and_says_what_to_do_next(tmp_path: Path) -> None:
    script = Path(sys.executable).parent / "cookiecutter"
    folder = tmp_path / "my sites"
    words: list[str | Path] = ["--no-input", "--output-dir", folder, "database=sqlite"]
    printed = succeed(script, ROOT, *words, cwd=tmp_path, env={"PWD": str(tmp_path)})
    assert "My Site is in my_site/: Django 5.2 with SQLite, Redis, uWSGI." in printed
    assert "Wrote random secrets to my_site/.env" in printed
    # Development and production are blocks of their own.
    development, production = printed.split("\n\n")[1:]
    assert f"  cd '{folder}/my_site'\n" in development
    assert "make" not in development
    assert "  make deploy\n" in production
    printed = succeed(
        script,
        ROOT,
        "--no-input",
        cwd=tmp_path,
        env={"PWD": str(tmp_path), "LC_ALL": "ko_KR.UTF-8"},
    )
    assert "  cd my_site\n" in printed
    assert "개발: http://localhost:8000/" in printed


def test_every_pair_of_choices_is_exercised() -> None:
    wanted = set().union(*map(pairs, everything(CATALOGUE)))
    assert set().union(*map(pairs, COMBINATIONS)) == wanted


def test_few_combinations_still_contain_every_choice() -> None:
    some = few(COMBINATIONS)
    assert len(some) < len(COMBINATIONS) / 2
    assert {*itertools.chain(*(row.items() for row in some))} == {
        (name, choice) for name, choices in CHOICES.items() for choice in choices
    }


def with_choices(**names: str) -> dict[str, Any]:
    """Return the catalogue with one more choice for some questions, each a copy of the question's first."""
    catalogue = {**CATALOGUE}
    for question, name in names.items():
        entries = CATALOGUES[question]
        like = CATALOGUE[entries][CHOICES[question][0]]
        catalogue[question] = [*CATALOGUE[question], name]
        catalogue[entries] = {**CATALOGUE[entries], name: like}
    return catalogue


@pytest.mark.parametrize(
    "catalogue",
    [
        CATALOGUE,
        with_choices(database="oracle"),
        with_choices(cache="dragonfly"),
        with_choices(app_server="granian"),
        with_choices(database="oracle", cache="dragonfly", app_server="granian"),
        with_choices(database="oracle") | {"_refused": {"database=oracle, app_server=uwsgi": "no"}},
    ],
    ids=["as it is", "database", "cache", "server", "all", "refused"],
)
def test_every_database_cache_and_server_is_in_a_stack(catalogue: dict[str, Any]) -> None:
    found = list(stacks(catalogue).values())
    assert all(allowed(answers, catalogue) for answers in found)
    for question in ("database", "cache", "app_server", "django_version", "package_manager"):
        assert {answers[question] for answers in found} == {*catalogue[question]}
    assert all(len(servers(answers, catalogue)) in (0, 2) for answers in found)
    before_a_server = {answers["app_server"] for answers in found if servers(answers, catalogue)}
    assert before_a_server == {*catalogue["app_server"]}
    firsts = {name: values[0] for name, values in choices(catalogue).items()}
    assert found[0].items() <= firsts.items()
    # There is a stack of development for each database.
    developed = [answers["database"] for answers in developments(catalogue).values()]
    assert developed == catalogue["database"]


# Each combination that cookiecutter.json refuses, and one that only the tests refuse.
REFUSED: dict[str, str] = CATALOGUE["_refused"] | {
    "database=sqlite, app_server=gunicorn": 'the tests\' own "reason"'
}


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the template that refuses one more combination."""
    template = tmp_path_factory.mktemp("template")
    for name in ("hooks", "templates", "{{cookiecutter.project_slug}}"):
        shutil.copytree(ROOT / name, template / name)
    catalogue = json.dumps(CATALOGUE | {"_refused": REFUSED})
    (template / "cookiecutter.json").write_text(catalogue, encoding="utf-8")
    return template


@pytest.mark.parametrize("words", REFUSED)
def test_a_combination_that_makes_no_sense_is_refused(
    words: str, refusing: Path, tmp_path: Path
) -> None:
    command = [tool("cookiecutter"), str(refusing), "--no-input", "--output-dir", str(tmp_path)]
    result = run(*command, *words.split(", "), cwd=tmp_path)
    assert result.returncode != 0
    assert f"{words}: {REFUSED[words]}\n" in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", REFUSED)
def test_a_refused_combination_with_another_choice_is_generated(
    words: str, refusing: Path, tmp_path: Path
) -> None:
    for name, choice in parts(words).items():
        for other in CHOICES[name]:
            answers = {**parts(words), name: other}
            if other != choice and allowed(answers, CATALOGUE):
                cookiecutter(
                    str(refusing),
                    no_input=True,
                    output_dir=tmp_path / name / other,
                    extra_context=answers,
                )


def test_refused_combinations_are_not_exercised_and_the_other_pairs_are() -> None:
    catalogue = CATALOGUE | {"_refused": REFUSED}
    rows = combinations(catalogue)
    assert all(allowed(row, catalogue) for row in rows)
    assert set().union(*map(pairs, rows)) == set().union(*map(pairs, everything(catalogue)))
