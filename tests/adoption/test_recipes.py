"""A project's docs/recipes.md, followed as it is written."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.adoption.test_applications import DOCUMENTS, move_in
from tests.stack.conftest import Browser, Stack, commit, eventually, s3, serve
from tests.support.catalogue import CATALOGUE, COMBINATIONS
from tests.support.choices import label
from tests.support.commands import succeed
from tests.support.projects import Bake, Environment
from tests.support.recipes import follow, read, uncomment

OLD_SITE = """
import django
from django.conf import settings
settings.configure(
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "{name}"}}}},
    INSTALLED_APPS=["django.contrib." + n for n in ("admin", "auth", "contenttypes", "sessions")],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
boss = User.objects.create_superuser("boss", "boss@example.com", "an old password")
boss.groups.add(Group.objects.create(name="editors"))
LogEntry.objects.create(
    user=boss, content_type=ContentType.objects.get_for_model(User), object_id="1", action_flag=1
)
"""
NEW_SITE = """
from django.contrib.auth import authenticate
from django.contrib.admin.models import LogEntry
boss = authenticate(username="boss", password="an old password")
print(boss.pk, boss.groups.get().name, LogEntry.objects.get(user=boss).get_edited_object() == boss)
"""
OLD_TABLES = """
import sqlite3
sqlite3.connect("{name}").executescript('''
CREATE TABLE customer (customer_id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(50), class VARCHAR(9));
CREATE TABLE rental (id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer, paid DATETIME);
INSERT INTO customer VALUES (1, 'Mary', 'gold');
INSERT INTO rental VALUES (1, 1, NULL);
''')
"""
WORKER = '''"""A worker."""

import time

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Works until it is told to stop."""

    def handle(self, *args: object, **options: object) -> None:
        """Say so each second."""
        while True:
            self.stdout.write("working")
            time.sleep(1)
'''


@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_the_lines_that_recipes_name_are_there(
    answers: dict[str, str], bake: Bake, tmp_path: Path
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(bake(**answers), folder)
    recipes = read((folder / "docs/recipes.md").read_text())
    assert len(recipes) > 15
    follow(folder, *recipes)
    if not CATALOGUE["_task_queues"][answers["task_queue"]]["image"]:
        uncomment(folder, "worker")


@pytest.fixture
def copy(bake: Bake, environment: Environment, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Return a project and the variables with which its tools run."""
    folder = tmp_path / "my_site"
    shutil.copytree(bake(), folder)
    programs = environment("5.2")
    return folder, {"PATH": f"{programs}:/usr/bin:/bin", "DJANGO_DEBUG": "true"}


@pytest.mark.project
def test_users_of_an_old_site_log_in(copy: tuple[Path, dict[str, str]]) -> None:
    folder, env = copy
    old = folder / "old.sqlite3"
    succeed("python", "-c", OLD_SITE.format(name=old), cwd=folder, env=env)
    follow(folder, "Users that exist already")
    commands = read((folder / "docs/recipes.md").read_text())["Users that exist already"].steps
    for command in commands:
        if isinstance(command, str) and "docker compose build" not in command:
            here = re.sub(r"^uv run |^docker compose run \S+ \S+ \S+ backend ", "", command)
            url = {"DATABASE_URL": f"sqlite:///{old}"} if here != command else {}
            succeed("sh", "-c", here, cwd=folder, env=env | url)
    env["DATABASE_URL"] = f"sqlite:///{old}"
    manage = ["python", "manage.py"]
    succeed(*manage, "migrate", "--verbosity=0", cwd=folder, env=env)
    succeed(*manage, "makemigrations", "--check", cwd=folder, env=env)
    assert (
        succeed(*manage, "shell", "-v0", "-c", NEW_SITE, cwd=folder, env=env) == "1 editors True\n"
    )


@pytest.mark.project
def test_models_of_old_tables_are_written_and_read(copy: tuple[Path, dict[str, str]]) -> None:
    folder, env = copy
    (folder / "my_site/blog").mkdir()
    start = ["startapp", "--template=config/app", "blog", "my_site/blog"]
    succeed("python", "manage.py", *start, cwd=folder, env=env)
    follow(folder, "An app", "A second database", "A database that exists already")
    succeed("python", "-c", OLD_TABLES.format(name="archive.sqlite3"), cwd=folder, env=env)
    (command,) = read((folder / "docs/recipes.md").read_text())[
        "A database that exists already"
    ].steps[:1]
    assert isinstance(command, str)
    here = command.removeprefix("docker compose exec -T backend ")
    succeed("sh", "-c", here, cwd=folder, env=env)
    for line in ("ruff check --fix", "ruff format", "mypy my_site/blog", "pytest my_site/blog"):
        succeed("sh", "-c", line, cwd=folder, env=env)
    migrate = ["migrate", "--database", "archive", "--verbosity=0"]
    succeed("python", "manage.py", *migrate, cwd=folder, env=env)
    script = (
        "from my_site.blog.models import Rental as R;"
        "print(R.objects.using('archive').get().customer.name)"
    )
    shell = ["shell", "-v0", "-c", script]
    assert succeed("python", "manage.py", *shell, cwd=folder, env=env) == "Mary\n"


@pytest.mark.stack
def test_recipes_hold_together_on_a_server(
    make_stack: Callable[..., Stack], browser: Browser, tmp_path: Path
) -> None:
    stack = make_stack("adoption", database="mysql")
    folder = stack.folder
    move_in(folder, DOCUMENTS["tinymce"].read_text())
    succeed("make", "app", "NAME=blog", cwd=folder)
    (channels,) = read(DOCUMENTS["channels"].read_text()).values()
    for edit in channels.edits:
        if edit.new:
            path, text = (
                part.replace("core/home", name)
                for part, name in ((edit.path, "blog/index"), (edit.text, "core/base"))
            )
            replace(edit, path=path, text=text.replace("{{ block.super }}", "<h1>Blog</h1>")).apply(
                folder
            )
    packages = follow(
        folder,
        "An app",
        "A variable",
        "A secret in a file",
        "A library of the operating system",
        "A volume",
        "A file that not everybody may see",
        "Websockets",
        "Uploaded files in a bucket",
        "An API for pages of other sites",
        "A second database",
    )
    succeed("uv", "add", "--quiet", *packages, cwd=folder)
    succeed("make", "lock", cwd=folder)
    uncomment(folder, "worker", NAME="work")
    worker = folder / "adoption/blog/management/commands/work.py"
    worker.parent.mkdir(parents=True)
    worker.write_text(WORKER)
    urls = folder / "adoption/blog/urls.py"
    text = urls.read_text().replace("import views", "import files, views")
    urls.write_text(text.replace('"index")', '"index"), path("files/<name>", files.private)'))
    for target in ("format", "lint", "test"):
        succeed("make", target, cwd=folder)

    key = tmp_path / "secret-key"
    key.write_text("0123456789" * 5)
    settings = {
        "ARCHIVE_URL": "sqlite:////tmp/archive.sqlite3",
        "COMPOSE_FILE": "docker-compose.yml:docker-compose.secrets.yml",
        "DJANGO_SECRET_KEY": "in-a-file",
        "DJANGO_SECRET_KEY_FILE": str(key),
        "SHOP_KEY": "of the shop",
        "SOCKETS": "1",
    }
    serve(stack, **settings)
    printed = stack.shell("from django.conf import settings; print(settings.SECRET_KEY)")
    assert printed == key.read_text()
    check_pages(stack, browser)
    check_containers(stack)
    # A new release is the worker's, too.
    path = "adoption/core/static/core/site.css"
    release = commit(stack, path, lambda text: f"{text}/* new */\n")
    succeed("bin/deploy", cwd=folder)
    (container,) = stack.inspect(*stack.containers("worker"))
    assert container["Config"]["Image"].endswith(release)
    assert container["State"]["Running"]
    document = (folder / "docs/recipes.md").read_text()
    (nightly,) = re.findall(r"cd /srv/\w+ && (docker compose exec .*)", document)
    succeed("sh", "-c", nightly, cwd=folder)


def check_pages(stack: Stack, browser: Browser) -> None:
    """Look at what visitors see."""
    stack.add_administrator()
    browser.log_in(stack)
    browser.open(stack, "/blog/", "body.echo")
    browser.open(stack, "/admin/pages/page/add/", ".tox-editor-header")
    origin = {"Origin": "https://app.example.com"}
    response = stack.get("/api/v1/districts/", headers=origin)
    assert response.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    write = "mkdir -p /srv/media/private && echo secret >/srv/media/private/a.txt"
    stack.execute("backend", "sh", "-c", write)
    assert stack.status("/media/private/a.txt") == 404
    assert stack.status("/blog/files/a.txt") == 302
    with stack.client(follow_redirects=True) as client:
        stack.log_in(client)
        assert client.get("/blog/files/a.txt").text == "secret\n"


def check_containers(stack: Stack) -> None:
    """Look into the containers."""
    stack.execute("backend", "sh", "-c", "touch /srv/exports/x && ls /usr/lib/*/libmagic.so.1")
    assert (
        stack.shell("from django.conf import settings; print(settings.SHOP_KEY)") == "of the shop"
    )
    assert eventually(lambda: stack.compose("logs", "worker"), lambda logs: "working" in logs)
    query = "from django.db import connections as c; print(c['archive'].cursor().execute('select 1').fetchone())"
    assert stack.shell(query) == "(1,)"
    without = stack.attempt("run", "--rm", "--no-deps", "-T", "-e", "SHOP_KEY=", "backend",
                            "python", "manage.py", "check")  # fmt: skip
    assert without.returncode
    assert "Set the SHOP_KEY environment variable" in without.stdout
    with s3(stack, "pictures") as variables:
        script = "from django.core.files.storage import storages as s; from django.core.files.base import ContentFile as F; n = s['default'].save('a.txt', F(b'picture')); print(s['default'].open(n).read(), type(s['default']).__name__)"
        env = [f"{name}={value}" for name, value in variables.items()]
        words = ["env", *env, "MEDIA_BUCKET=pictures", "python", "manage.py", "shell", "-v0", "-c"]
        printed = stack.execute("backend", *words, script)
        assert printed.splitlines()[-1] == "b'picture' S3Storage"
