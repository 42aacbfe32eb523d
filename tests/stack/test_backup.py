"""Backups of every database: restored, compared, copied away, and refused when they are damaged."""

import os
import pty
import re
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.stack.conftest import Stack, eventually, s3
from tests.support.catalogue import CATALOGUE
from tests.support.commands import run, succeed
from tests.support.stacks import LONG, STACKS, only_in_the_long_form

pytestmark = pytest.mark.stack

MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.CreateModel("Later", [("id", models.BigAutoField(primary_key=True))])]
"""


# MariaDB's script is MySQL's, with other names of programs.
SOME = [name for name, answers in STACKS.items() if LONG or answers["database"] != "mariadb"]
FIRST = pytest.mark.parametrize("stack", SOME if LONG else SOME[:1], indirect=True)
SERVERS = [name for name in SOME if CATALOGUE["_databases"][STACKS[name]["database"]]["image"]]


def with_server(test: Callable[[Stack], None]) -> Callable[[Stack], None]:
    """Run a test in the long form, with every database that is a server."""
    test = pytest.mark.parametrize("stack", SERVERS, indirect=True)(test)
    return only_in_the_long_form(test)


@pytest.fixture(scope="module", params=SOME)
def stack(request: pytest.FixtureRequest, make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """Return a server with data and an uploaded file, of one database after the other."""
    stack = make_stack(f"backup_{STACKS[request.param]['database']}", **STACKS[request.param])
    with (stack.folder / ".env").open("a") as env:
        env.write(f"HTTP_PORT={stack.port}\n")
    succeed("make", "server", cwd=stack.folder)
    stack.up()
    stack.add_administrator()
    stack.execute("backend", "python", "manage.py", "seed_readings", "--hours=2")
    files = "cd /srv/media; echo first >first.txt; mkdir below; echo below >below/it.txt"
    stack.execute("backend", "sh", "-c", files)
    yield stack
    stack.down()


def restore(stack: Stack, name: str) -> subprocess.CompletedProcess[str]:
    """Restore a backup, which may fail; no backup but the one of what is there now is to spare."""
    env = {"HTTP_PORT": str(stack.port), "BACKUP_KEEP": "1"}
    return run("bin/restore", name, "--yes", cwd=stack.folder, env=env)


def shell(stack: Stack, command: str) -> str:
    """Run a command in a container that may change the backups."""
    words = ("run", "--rm", "--no-deps", "-T", "--entrypoint", "bash", "backup", "-ec", command)
    return stack.compose(*words)


def make(stack: Stack, *words: str) -> str:
    """Run make; return what it printed."""
    return succeed("make", "--silent", *words, cwd=stack.folder)


def names(stack: Stack) -> list[str]:
    """Return the names of the backups."""
    listed = make(stack, "backups").splitlines()
    return sorted({line.split()[-1].split(".")[0] for line in listed if ".sql.gz" in line})


def rows(stack: Stack) -> str:
    """Return each table of the database, its number of rows, and their checksum."""
    path = "$(command -v backup.sh || echo docker/database/backup.sh)"
    return shell(stack, f'source <(sed "/^case/,\\$d" {path}); rows "$DATABASE"')


def test_a_backup_is_complete_private_and_can_be_restored(stack: Stack) -> None:
    make(stack, "backup")
    (name,) = names(stack)
    listed = stack.execute("backup-files", "sh", "-c", "stat -c '%a %n' /backups/*")
    assert {line.split()[0] for line in listed.splitlines()} == {"600"}
    kinds = {line.rsplit(name, 1)[1] for line in listed.splitlines()}
    assert kinds == {".sql.gz", ".media.tar.gz", ".rows", ".sha256"}
    assert f"{name} can be restored" in make(stack, "backup-test")


def test_a_backup_that_is_not_there_is_refused(stack: Stack) -> None:
    result = restore(stack, "20200101T000000Z")
    assert result.returncode != 0
    assert f"There is no backup 20200101T000000Z, only: {names(stack)[0]}" in result.stdout
    assert stack.ready() == 200


def test_restore_replaces_the_database_as_a_whole_after_a_later_migration(stack: Stack) -> None:
    (name, *_) = names(stack)
    before = rows(stack)
    stack.shell("User.objects.create_user('later')")
    files = "cd /srv/media; rm -r first.txt below; echo b >second.txt"
    stack.execute("backend", "sh", "-c", files)
    later = stack.folder / stack.folder.name / "accounts" / "migrations" / "0002_later.py"
    later.write_text(MIGRATION)
    stack.up()
    later.unlink()
    stack.up()
    assert "accounts_later" in rows(stack)
    restored = restore(stack, name)
    assert restored.returncode == 0, restored.stdout[-3000:]
    assert rows(stack) == before
    files = stack.execute("backend", "sh", "-c", "cat /srv/media/first.txt /srv/media/second.txt")
    assert files == "first\nb\n"
    assert stack.execute("nginx", "cat", "/srv/media/below/it.txt") == "below\n"
    assert stack.ready() == 200
    # What it replaced can be had back.
    assert len(names(stack)) == 2


@FIRST
def test_without_a_backup_of_what_is_there_nothing_is_replaced(stack: Stack) -> None:
    (name, *_) = names(stack)
    before = rows(stack)
    stack.compose("up", "--detach", "--no-recreate", "--wait", "--scale", "backend=2", "backend")
    # On a server to which `make deploy` released, there is none.
    stack.compose("rm", "--force", "release")
    shell(stack, "chmod 500 /backups")
    failed = restore(stack, name)
    shell(stack, "chmod 700 /backups")
    assert failed.returncode != 0
    assert rows(stack) == before
    assert len(stack.containers("backend")) == 2
    assert eventually(stack.ready, lambda status: status == 200) == 200


@FIRST
def test_a_site_opens_with_all_of_its_data_or_stays_closed(stack: Stack) -> None:
    (name, *_) = names(stack)
    before = rows(stack)
    shell(
        stack,
        f"cd /backups; cp {name}.rows half.rows; cp {name}.media.tar.gz half.media.tar.gz;"
        f"gzip -dc {name}.sql.gz | head -c 5000 | gzip >half.sql.gz; sha256sum half.* >half.sha256",
    )
    failed = restore(stack, "half")
    assert failed.returncode != 0
    assert "half is not restored, and the site stays closed" in failed.stdout.splitlines()[-1]
    running = stack.compose("ps", "--services", "--status", "running").split()
    assert "backend" not in running
    refused = run("bin/deploy", cwd=stack.folder)
    assert refused.returncode != 0
    assert "a restore has failed" in refused.stdout
    (previous,) = re.findall("What is there now is in (.+)", failed.stdout)
    again = restore(stack, previous)
    assert again.returncode == 0, again.stdout[-3000:]
    assert rows(stack) == before
    assert len(stack.containers("backend")) == 2
    assert stack.ready() == 200
    shell(stack, "rm /backups/half.*")


@FIRST
def test_a_lost_connection_ends_no_restore(stack: Stack) -> None:
    (name, *_) = names(stack)
    before = rows(stack)
    terminal, its_end = pty.openpty()
    env = {**os.environ, "HTTP_PORT": str(stack.port)}
    restoring = subprocess.Popen(
        ["bin/restore", name, "--yes"], cwd=stack.folder, env=env, start_new_session=True,
        stdin=its_end, stdout=its_end, stderr=its_end,
    )  # fmt: skip
    os.close(its_end)
    shown = ""
    while not (stack.folder / ".restoring").exists():
        assert restoring.poll() is None, shown
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 1000).decode()
    os.close(terminal)
    os.killpg(restoring.pid, signal.SIGHUP)
    assert restoring.wait() == 0
    assert rows(stack) == before
    assert eventually(stack.ready, lambda status: status == 200) == 200


@FIRST
def test_two_do_not_write_the_same_archive(stack: Stack) -> None:
    stack.execute("backend", "sh", "-c", "head -c 30M /dev/urandom >/srv/media/large")
    name = stack.compose("run", "--rm", "--no-deps", "-T", "backup", "now").split()[-1]
    words = ["docker", "compose", "run", "--rm", "--no-deps", "-T", "backup-files", "now"]
    two = [subprocess.Popen(words, cwd=stack.folder) for _ in range(2)]
    assert [process.wait() for process in two] == [0, 0]
    checked = stack.compose("run", "--rm", "--no-deps", "-T", "backup", "check", name)
    assert checked == ""
    stack.execute("backend", "rm", "/srv/media/large")


def test_a_damaged_backup_is_refused_before_anything_stops(stack: Stack) -> None:
    (name, *_) = names(stack)
    stack.execute("backup-files", "sh", "-c", f"echo x >>/backups/{name}.sql.gz")
    before = rows(stack)
    result = run("bin/restore", name, "--yes", cwd=stack.folder)
    assert result.returncode != 0
    assert f"{name}.sql.gz: FAILED" in result.stdout
    assert stack.status() == 200
    assert rows(stack) == before


def test_a_wrong_name_and_a_no_change_nothing(stack: Stack) -> None:
    name = names(stack)[-1]
    wrong = run("bin/restore", "20200101T000000Z", "--yes", cwd=stack.folder)
    assert wrong.returncode != 0
    started = [row["State"]["StartedAt"] for row in stack.inspect(*stack.containers("backend"))]
    refused = run("sh", "-c", f"echo n | bin/restore {name}", cwd=stack.folder)
    assert refused.returncode != 0
    now = [row["State"]["StartedAt"] for row in stack.inspect(*stack.containers("backend"))]
    assert now == started


@pytest.fixture
def bucket(stack: Stack) -> Iterator[str]:
    """Return the address of a bucket, on a server that speaks S3."""
    with s3(stack, "copies") as variables:
        stack.env |= variables | {"BACKUP_URL": "s3://copies/site"}
        yield f"http://127.0.0.1:{variables['AWS_ENDPOINT_URL'].rpartition(':')[2]}/copies"
        stack.env.clear()


@pytest.mark.parametrize("stack", list(STACKS)[:1], indirect=True)
def test_copies_go_to_a_bucket_once(stack: Stack, bucket: str) -> None:
    run_now = ["run", "--rm", "--no-deps", "-T", "backup-files", "now"]
    assert "is in s3://copies/site" in stack.compose(*run_now)
    assert stack.compose(*run_now) == ""
    copied = set(re.findall(r"<Key>site/([^<]+)</Key>", httpx.get(bucket).text))
    assert copied == set(stack.execute("backup-files", "ls", "/backups").split())
    stack.env["BACKUP_URL"] = "s3://nowhere/site"
    failed = stack.attempt(*run_now)
    assert failed.returncode == 1
    assert failed.stdout.startswith("The backup of the files failed: ")
    assert "Debug" not in failed.stdout


MYSQL = [
    name
    for name in SOME
    if CATALOGUE["_databases"][STACKS[name]["database"]]["engine"].endswith(".mysql")
]
# What a database has besides tables; the application's user defines all of it.
OBJECTS = {
    "PROCEDURE a_procedure": "() SELECT 1",
    "FUNCTION a_function": "() RETURNS INT DETERMINISTIC RETURN 2",
    "VIEW a_view": " AS SELECT username FROM accounts_user",
    "TRIGGER a_trigger": " BEFORE INSERT ON accounts_user FOR EACH ROW SET NEW.last_name = 'x'",
    "EVENT an_event": " ON SCHEDULE EVERY 1 YEAR DO SELECT 1",
}
EXECUTE = "from django.db import connection; connection.cursor().execute({!r})"
DEFINED = """
from django.db import connection
cursor = connection.cursor()
for kind in ("routine", "trigger", "event", "table"):
    table = kind.replace("table", "view") + "s"
    cursor.execute(f"SELECT {kind}_name, definer FROM information_schema.{table} "
                   f"WHERE {kind}_schema = DATABASE() ORDER BY 1")
    print(cursor.fetchall())
cursor.execute("SELECT a_function(), COUNT(*) FROM a_view")
print(cursor.fetchall())
"""


@pytest.mark.parametrize("stack", MYSQL, indirect=True)
def test_routines_triggers_events_and_views_come_back_with_their_definers(stack: Stack) -> None:
    for name, definition in OBJECTS.items():
        stack.shell(EXECUTE.format(f"CREATE {name}{definition}"))
    before = stack.shell(DEFINED)
    assert before.count("@%") == len(OBJECTS)
    make(stack, "backup")
    backup = names(stack)[-1]
    for name in OBJECTS:
        stack.shell(EXECUTE.format(f"DROP {name}"))
    restored = restore(stack, backup)
    assert restored.returncode == 0, restored.stdout[-3000:]
    assert stack.shell(DEFINED) == before
    for name in OBJECTS:
        stack.shell(EXECUTE.format(f"DROP {name}"))


def test_old_backups_go(stack: Stack) -> None:
    words = ["run", "--rm", "--no-deps", "-T", "--env", "BACKUP_KEEP=1", "backup", "rotate"]
    kept = stack.compose(*words).split()[-1]
    assert names(stack) == [kept]


def operations(stack: Stack) -> str:
    """Return the guide of a project."""
    return (stack.folder / "docs/operations.md").read_text("utf-8")


@with_server
def test_passwords_are_replaced_as_documented(stack: Stack) -> None:
    env = stack.folder / ".env"
    for name in ("DATABASE_PASSWORD", "DATABASE_ROOT_PASSWORD"):
        row = re.findall(rf"(?m)^\| `{name}` \| (.*) \|$", operations(stack))[0]
        root = re.findall(r"(?m)^DATABASE_ROOT_PASSWORD=(.*)$", env.read_text())[0]
        done = []
        for command in re.findall(r"`([^`]+)`", row):
            if command == ".env":
                text = re.sub(
                    rf"(?m)^{name}=.*$", f"{name}=another0{name.lower()}", env.read_text()
                )
                env.write_text(text)
            elif command.startswith("docker compose exec"):
                client = command.removesuffix(" -p").replace(
                    " exec ", f" exec -T -e MYSQL_PWD={root} "
                )
            elif command.endswith(";"):
                statement = command.replace("NEW", f"another0{name.lower()}")
                done.append(run(*client.split(), cwd=stack.folder, text=statement))
            else:
                # A server has a commit; this one has a name for its release.
                done.append(run("bash", "-c", command, cwd=stack.folder, env={"RELEASE": "again"}))
        assert [result.stdout for result in done if result.returncode] == []
        assert len(done) >= 1
        assert eventually(stack.ready, lambda status: status == 200) == 200
    stack.up()
    assert stack.shell("print(User.objects.count())").isdigit()
    make(stack, "backup")


@with_server
def test_a_new_volume_for_a_new_major_version_as_documented(stack: Stack) -> None:
    make(stack, "backup")
    name = names(stack)[-1]
    before = rows(stack)
    copy = "docker compose cp backup-files:/backups/NAME.sql.gz ~"
    (block,) = [
        text for text in re.findall(r"(?s)```sh\n(.*?)```", operations(stack)) if "_old" in text
    ]
    assert copy in operations(stack)
    for command in [copy.replace("NAME", name), *block.strip().splitlines()]:
        words = command.replace("NAME=...", f"NAME={name}")
        result = run("bash", "-c", words, cwd=stack.folder, text="y\n")
        assert result.returncode == 0, f"{command}:\n{result.stdout[-2000:]}"
    copied = Path.home() / f"{name}.sql.gz"
    assert copied.exists()
    copied.unlink()
    assert rows(stack) == before
    assert eventually(stack.ready, lambda status: status == 200) == 200
    succeed("docker", "volume", "rm", f"{stack.folder.name}_old", cwd=stack.folder)


def test_files_that_come_and_go_do_not_stop_a_backup(stack: Stack) -> None:
    churn = """cd /srv/media; while [ ! -e stop ]; do
        for n in 1 2 3 4 5 6 7 8 9; do head -c 300000 /dev/urandom >churn.$n; : >churn.5; rm -f churn.$((10 - n)); done
    done; rm -f churn.* stop"""
    before = names(stack)
    stack.compose("exec", "--detach", "backend", "sh", "-c", churn)
    try:
        for _ in range(2):
            make(stack, "backup")
    finally:
        stack.execute("backend", "touch", "/srv/media/stop")
    assert len(names(stack)) == len(before) + 2


@pytest.mark.parametrize(
    ("name", "value"), [("BACKUP_KEEP", "0"), ("BACKUP_KEEP", "two"), ("BACKUP_AT", "25:00")]
)
def test_settings_that_would_keep_no_backup_are_refused(
    name: str, value: str, stack: Stack
) -> None:
    before = names(stack)
    words = ("run", "--rm", "--no-deps", "-T", "--env", f"{name}={value}", "backup", "rotate")
    assert f"{name}={value} is no " in stack.compose(*words, check=False)
    assert names(stack) == before
