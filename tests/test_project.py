"""Generated projects under their own tools: linters, Django's checks, their own tests."""

import os
from pathlib import Path
from string import Template

import pytest

from tests.conftest import (
    CHOICES,
    COMBINATIONS,
    Bake,
    Environment,
    label,
    lint_commands,
    run,
    succeed,
    tool,
)

PRODUCTION = {
    "DJANGO_DEBUG": "false",
    "DJANGO_SECRET_KEY": "0123456789abcdef" * 4,
    "ALLOWED_HOSTS": "example.com",
    "DATABASE_URL": "sqlite://",
    "CACHE_URL": "locmemcache://",
    "HTTPS": "true",
}


def lint(project: Path, programs: Path) -> None:
    """Run what `make lint` runs, in an environment."""
    env = {
        "MYPY_CACHE_DIR": str(programs.parent / "mypy"),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "RUFF_NO_CACHE": "true",
    }
    for command in lint_commands(project):
        succeed("sh", "-c", command, cwd=project, env=env)


def test_yamllint_finds_nothing(project: Path) -> None:
    rules = "{extends: default, rules: {braces: {level: error}, document-start: disable, line-length: {max: 140}}}"
    succeed(tool("yamllint"), "--strict", "--config-data", rules, ".", cwd=project)


def test_hadolint_finds_nothing(project: Path) -> None:
    assert succeed(tool("hadolint"), "Dockerfile", cwd=project) == ""


def test_shellcheck_finds_nothing(project: Path) -> None:
    scripts = sorted(path.relative_to(project) for path in project.glob("docker/*.sh"))
    assert scripts
    succeed(tool("shellcheck"), *scripts, cwd=project)


@pytest.mark.parametrize("templates", [["site"], ["site", "tls"]], ids=["http", "https"])
@pytest.mark.parametrize("app_server", CHOICES["app_server"])
def test_gixy_finds_nothing(
    app_server: str, templates: list[str], bake: Bake, tmp_path: Path
) -> None:
    source = bake(app_server=app_server) / "nginx"
    for name in ("nginx", "backend", "health", "locations"):
        text = (source / f"{name}.conf").read_text(encoding="utf-8")
        (tmp_path / f"{name}.conf").write_text(text.replace("/run/nginx/", "templates/"))
    for name in ("mime.types", "uwsgi_params"):  # of nginx itself
        (tmp_path / name).touch()
    (tmp_path / "templates").mkdir()
    environment = {
        "ALLOWED_HOSTS": "example.com",
        "HSTS_SECONDS": "31536000",
        "HTTPS": "true",
        "TRUSTED_PROXY": "10.0.0.0/8",
    }
    for name in templates:
        template = Template((source / f"{name}.conf.template").read_text(encoding="utf-8"))
        text = template.safe_substitute(environment)
        (tmp_path / "templates" / f"{name}.conf").write_text(text)
    printed = succeed(tool("gixy"), "nginx.conf", cwd=tmp_path)
    assert "No issues found" in printed


def test_make_lists_its_targets(project: Path) -> None:
    listed = succeed("make", "--no-print-directory", cwd=project)
    for target in ("install", "run", "test", "lint", "format", "lock", "up", "down"):
        assert f"\n{target} " in f"\n{listed}"


@pytest.mark.project
@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
class TestDjango:
    """With the embedded servers: SQLite and local memory."""

    @pytest.fixture
    def folder(self, answers: dict[str, str], bake: Bake) -> Path:
        return bake(**answers)

    @pytest.fixture
    def programs(self, answers: dict[str, str], environment: Environment) -> Path:
        return environment(answers["django_version"])

    def test_make_lint_finds_nothing_and_formats_nothing(
        self, folder: Path, programs: Path
    ) -> None:
        lint(folder, programs)

    def test_its_own_tests_pass(self, folder: Path, programs: Path) -> None:
        printed = succeed(programs / "pytest", "-p", "no:cacheprovider", cwd=folder)
        assert " passed" in printed
        assert "warning" not in printed

    def test_nothing_to_say_against_its_deployment(self, folder: Path, programs: Path) -> None:
        command = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        printed = succeed(programs / "python", *command, cwd=folder, env=PRODUCTION)
        assert "no issues" in printed


@pytest.mark.project
@pytest.mark.parametrize(
    "name", ["DJANGO_SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "CACHE_URL"]
)
def test_production_does_not_start_without(name: str, bake: Bake, environment_python: Path) -> None:
    settings = {key: value for key, value in PRODUCTION.items() if key != name}
    result = run(environment_python, "-c", "import config.wsgi", cwd=bake(), env=settings)
    assert result.returncode != 0
    assert f"Set the {name} environment variable" in result.stdout


@pytest.mark.project
def test_without_any_setting_the_server_is_not_a_development_server(
    bake: Bake, environment_python: Path
) -> None:
    settings = {name: value for name, value in PRODUCTION.items() if name != "DJANGO_DEBUG"}
    command = "import config.wsgi; from django.conf import settings; print(settings.DEBUG)"
    assert succeed(environment_python, "-c", command, cwd=bake(), env=settings) == "False\n"


@pytest.mark.project
@pytest.mark.parametrize("slug", ["accounts", "core", "app", "zebra", "a1"])
def test_any_slug_gives_a_project_that_works(
    slug: str, bake: Bake, environment_python: Path
) -> None:
    folder = bake(project_slug=slug, project_name=f'{slug} "{{}}" 한글 <b>')
    lint(folder, environment_python.parent)
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
