"""A server is made, released to, and taken back, while visitors look at it."""

import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from tests.stack.conftest import Stack, commit, eventually, serve
from tests.support.catalogue import CATALOGUE
from tests.support.commands import run, succeed
from tests.support.documents import ON_A_SERVER, documented
from tests.support.stacks import LONG, STACKS, only_in_the_long_form

pytestmark = pytest.mark.stack

# Which stacks; in the long form, all, and as many releases.
SOME = [*STACKS][:1]
FIRST = pytest.mark.parametrize("server", SOME, indirect=True)
RELEASES = 10 if LONG else 2
# Databases that build an index while others write.
CONCURRENT = [
    name
    for name, answers in STACKS.items()
    if "concurrent" in CATALOGUE["_databases"][answers["database"]]
]
INDEX = """from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0001_initial")]
    operations = [AddIndexConcurrently("user", models.Index(fields=["first_name"], name="first_name"))]
"""


@dataclass
class Visitors:
    """People who load pages and all files that any page ever had, and send forms."""

    stack: Stack
    # What Django answers to each: a form without a token is refused, by Django.
    expected: ClassVar[dict[str, int]] = {"GET": 200, "POST": 403}
    files: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def visit(self) -> None:
        """Ask, again and again."""
        with self.stack.client() as client:
            while not self.over.is_set():
                self.ask(client, "GET", "/")
                self.ask(client, "POST", "/")
                for path in sorted(self.files):
                    self.ask(client, "GET", path)

    def ask(
        self, client: httpx.Client, method: str, path: str, content: Iterable[bytes] | None = None
    ) -> None:
        """Ask once."""
        try:
            response = client.request(method, path, content=content)
        except httpx.TransportError as error:
            self.failures.append(f"{method} {path}: {error!r}")
            return
        self.answers[response.status_code] += 1
        if response.status_code != self.expected[method]:
            self.failures.append(f"{method} {path}: {response.status_code} {response.text[:60]}")
        elif path == "/":
            self.files.update(re.findall(r'(?:href|src)="(/static/[^"]+)"', response.text))


@contextmanager
def visitors(stack: Stack) -> Iterator[Visitors]:
    """Keep visitors on the site; none of them may be let down."""
    those = Visitors(stack)
    threads = [threading.Thread(target=those.visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield those
    finally:
        those.over.set()
        for thread in threads:
            thread.join()
    assert those.failures == [], those.answers
    assert those.answers[200] > 50


def deploy(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    """Run bin/deploy, which may fail."""
    return run("bin/deploy", *words, cwd=stack.folder)


def release(stack: Stack, *words: str) -> None:
    """Deploy, and fail unless it succeeds."""
    result = deploy(stack, *words)
    assert result.returncode == 0, result.stdout[-3000:]


def style(number: int) -> Callable[[str], str]:
    """Return a change of the style sheet."""
    return lambda text: f"{text}/* {number} */\n"


@pytest.fixture(scope="module", params=STACKS if LONG else SOME)
def server(request: pytest.FixtureRequest, make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """Return a machine that `make server` made a server, with a first release."""
    stack = make_stack(f"deploy_{STACKS[request.param]['database']}", **STACKS[request.param])
    refused = deploy(stack)
    assert refused.returncode != 0
    assert "make server" in refused.stdout
    serve(stack, EMAIL_URL="consolemail://")
    yield stack
    stack.down()


def backends(stack: Stack) -> list[str]:
    """Return the ids of the backends."""
    return sorted(stack.containers("backend"))


def test_compose_means_production_on_a_server_and_nothing_in_a_folder_below(server: Stack) -> None:
    services = succeed("docker", "compose", "ps", "--services", cwd=server.folder).split()
    assert "nginx" in services
    shown = succeed("docker", "compose", "exec", "-T", "backend", "env", cwd=server.folder)
    assert "DJANGO_DEBUG=false" in shown
    below = run("docker", "compose", "up", "--no-start", cwd=server.folder / "config")
    assert below.returncode != 0
    assert "run Compose in the folder of .env" in below.stdout


def test_releases_let_no_visitor_down(server: Stack) -> None:
    server.compose("up", "--detach", "--no-recreate", "--wait", "--scale", "backend=2", "backend")
    before = set(backends(server))
    with visitors(server) as those:
        for number in range(RELEASES):
            path = f"{server.folder.name}/core/static/core/site.css"
            name = commit(server, path, style(number))
            release(server)
        assert len(those.files) > RELEASES
        if LONG:
            assert eventually(lambda: sum(those.answers.values()), lambda n: n > 20_000, 3600)
    assert len(backends(server)) == 2
    assert before.isdisjoint(backends(server))
    assert deploy(server, "releases").stdout.splitlines()[-1].startswith(name)


@FIRST
def test_an_upload_that_outlasts_a_release_is_answered(server: Stack) -> None:
    settings = server.folder / ".env"
    before = settings.read_text()

    def drip(seconds: float = 12) -> Iterator[bytes]:
        """Send on until nginx has followed for so long."""
        while settings.read_text() == before or (seconds := seconds - 0.2) > 0:
            yield bytes(100)
            time.sleep(0.2)

    slow = Visitors(server)
    with server.client() as client:
        upload = threading.Thread(
            target=slow.ask, args=(client, "POST", "/"), kwargs={"content": drip()}
        )
        upload.start()
        commit(server, "README.md", style(0))
        release(server)
        upload.join()
    assert slow.failures == []
    assert slow.answers == {403: 1}


@FIRST
def test_a_deployment_without_a_change_restarts_nothing(server: Stack) -> None:
    before = {row["Id"]: row["State"]["StartedAt"] for row in server.inspect()}
    release(server)
    after = {row["Id"]: row["State"]["StartedAt"] for row in server.inspect()}
    assert after == before


@FIRST
@pytest.mark.parametrize(
    "words", [("stop", "start"), *([("restart",)] if LONG else [])], ids="-".join
)
def test_compose_starts_what_was_released_last(words: tuple[str, ...], server: Stack) -> None:
    # What `up` leaves behind knows the release of now, but not the next.
    server.compose("up", "--detach", "--wait")
    commit(server, "nginx/locations.conf", lambda text: f"{text}\n")
    commit(server, "config/wsgi.py", lambda text: f"{text}\n")
    release(server)
    for word in words:
        server.compose(word)
    assert eventually(server.ready, lambda status: status == 200) == 200
    succeed("git", "reset", "--hard", "--quiet", "HEAD~2", cwd=server.folder)
    release(server)


@FIRST
def test_changed_settings_need_no_restart_of_nginx(server: Stack) -> None:
    (nginx,) = server.inspect(*server.containers("nginx"))
    env = server.folder / ".env"
    env.write_text(
        env.read_text().replace(
            "HTTPS=false", "HTTPS=false\nTRUSTED_PROXY=192.0.2.0/24\nBACKENDS=1"
        )
    )
    with visitors(server):
        release(server)
    assert "192.0.2.0/24" in server.execute("nginx", "cat", "/srv/nginx/current/settings/proxies")
    (later,) = server.inspect(*server.containers("nginx"))
    assert later["State"]["StartedAt"] == nginx["State"]["StartedAt"]
    assert len(backends(server)) == 1


# What is wrong with a release -> the file, the change, and what the last line says.
WRONG: dict[str, tuple[str, Callable[[str], str], str]] = {
    "its migration fails": (
        "{slug}/accounts/migrations/0002_wrong.py",
        lambda text: (
            """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL("SELECT 1 FROM nowhere")]
"""
        ),
        "the release fails: .*nowhere",
    ),
    "its image does not build": (
        "Dockerfile",
        lambda text: text.replace("USER 10001", "RUN echo no wheel >&2; false\nUSER 10001"),
        "image does not build: no wheel",
    ),
    "its code is not Python": (
        "{slug}/core/views.py",
        lambda text: f"{text}\ndef x(:\n",
        "image does not build: SyntaxError: invalid syntax",
    ),
    "its settings are wrong": (
        "config/settings.py",
        lambda text: f"{text}\nraise RuntimeError('no such region')\n",
        "image does not build: RuntimeError: no such region",
    ),
    "its process does not start": (
        "config/wsgi.py",
        lambda text: f"{text}\nraise RuntimeError('no key')\n",
        "does not become ready: ",
    ),
    "its readiness stays red": (
        "config/health.py",
        lambda text: text.replace("if not self.migrated:", "if True:"),
        'does not become ready: .*"unavailable"',
    ),
    "its nginx refuses a file": (
        "nginx/locations.conf",
        lambda text: f"{text}\nnonsense on;\n",
        'nginx refuses its configuration: .*unknown directive "nonsense"',
    ),
}


# Three have an image that does not build: one of them shows that the cause is named.
OFTEN = [
    name for name in WRONG if name not in ("its image does not build", "its settings are wrong")
]


@FIRST
@pytest.mark.parametrize("problem", WRONG if LONG else OFTEN)
def test_the_old_release_serves_if(problem: str, server: Stack) -> None:
    path, change, reason = WRONG[problem]
    before = backends(server)
    serving = succeed("git", "rev-parse", "--short=12", "HEAD", cwd=server.folder).strip()
    # No test waits as long as a person would.
    commit(server, "bin/deploy", lambda text: text.replace("READY=90", "READY=15"))
    commit(server, path.format(slug=server.folder.name), change)
    with visitors(server):
        result = deploy(server)
    succeed("git", "reset", "--hard", "--quiet", serving, cwd=server.folder)
    assert result.returncode != 0
    last = result.stdout.splitlines()[-1]
    assert re.search(reason, last), last
    assert last.endswith(f"{serving} still serves")
    assert backends(server) == before


@FIRST
@pytest.mark.parametrize(
    "sign", [signal.SIGHUP, signal.SIGTERM] if LONG else [signal.SIGHUP], ids=lambda sign: sign.name
)
def test_a_deployment_that_is_interrupted_leaves_nothing_behind(
    sign: signal.Signals, server: Stack
) -> None:
    before = backends(server)
    path, change, _ = WRONG["its readiness stays red"]
    commit(server, path, change)
    with visitors(server):
        # Under nohup, nothing would hang it up.
        process = subprocess.Popen(
            ["env", "--default-signal=HUP", "bin/deploy"],
            cwd=server.folder,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        both = len(before) * 2
        seen = eventually(lambda: len(backends(server)), lambda count: count == both)
        os.killpg(process.pid, sign)
        status = process.wait(timeout=120)
    assert (seen, status) == (both, 1)
    succeed("git", "reset", "--hard", "--quiet", "HEAD~1", cwd=server.folder)
    assert backends(server) == before


def transaction(server: Stack, statement: str, seconds: float) -> subprocess.Popen[str]:
    """Run a statement in a transaction that stays open for a while; return its process when it has run."""
    script = (
        "import time; from django.db import transaction\n"
        "from django.contrib.auth import get_user_model; User = get_user_model()\n"
        "with transaction.atomic():\n"
        f"    {statement}; print('held', flush=True); time.sleep({seconds})"
    )
    holder = subprocess.Popen(
        ["docker", "compose", "exec", "-T", "backend", "python", "manage.py", "shell", "-v0", "-c", script],
        cwd=server.folder, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    return holder


@FIRST
def test_a_migration_waits_for_a_lock_without_keeping_visitors_waiting(server: Stack) -> None:
    """An open transaction on the table, for as long as it takes to be in the way."""
    slug = server.folder.name
    holder = transaction(server, "User.objects.exists()", seconds=12)
    commit(
        server,
        f"{slug}/accounts/migrations/0002_user_note.py",
        lambda text: (
            """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.AddField("user", "note", models.CharField(max_length=9, db_default=""))]
"""
        ),
    )
    began = time.monotonic()
    with visitors(server):
        result = deploy(server)
    assert result.returncode == 0, result.stdout[-3000:]
    assert "Waiting for a lock" in result.stdout or time.monotonic() - began > 12
    holder.wait()


@only_in_the_long_form
@pytest.mark.parametrize("server", CONCURRENT, indirect=True)
def test_an_index_is_built_beside_a_transaction_that_lasts(server: Stack) -> None:
    slug = server.folder.name
    holder = transaction(server, "User.objects.update(first_name='')", seconds=15)
    commit(server, f"{slug}/accounts/migrations/0002_user_index.py", lambda text: INDEX)
    release(server)
    assert holder.poll() == 0
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    script = f"from django.db import connection; print(connection.cursor().execute('{invalid}').fetchone()[0])"
    assert server.shell(script) == "0"


@FIRST
def test_rollback_goes_back_and_says_what_the_release_before_does_not_know(server: Stack) -> None:
    listed = deploy(server, "releases").stdout.splitlines()
    before, last = (line.split()[0] for line in listed[-2:])
    refused = deploy(server, "rollback")
    assert refused.returncode != 0
    assert "accounts.0002_user_note" in refused.stdout.splitlines()[-1]
    dockerfiles = {path: path.read_text() for path in server.folder.rglob("Dockerfile")}
    for path in dockerfiles:
        path.write_text("FROM nowhere.invalid/nothing\n")
    with visitors(server):
        # It builds nothing: what it goes back to is there.
        release(server, "rollback", "--anyway")
    for path, text in dockerfiles.items():
        path.write_text(text)
    assert deploy(server, "releases").stdout.splitlines() == listed[:-1]
    images = {row["Config"]["Image"] for row in server.inspect(*backends(server))}
    assert images == {f"{server.folder.name}-backend:{before}"}
    assert last not in (server.folder / ".env").read_text()


@FIRST
def test_no_more_images_stay_than_one_can_go_back_to(server: Stack) -> None:
    tags = succeed(
        "docker", "image", "ls", "--format", "{{.Tag}}", f"{server.folder.name}-backend",
        cwd=server.folder,
    ).split()  # fmt: skip
    listed = [line.split()[0] for line in deploy(server, "releases").stdout.splitlines()]
    assert set(tags) <= set(listed[-5:])


@FIRST
def test_a_release_of_one_s_own_name_and_a_dirty_tree(server: Stack) -> None:
    file = Path(server.folder / "README.md")
    file.write_text(f"{file.read_text()}\n")
    refused = deploy(server)
    assert refused.returncode != 0
    assert "changes without a commit" in refused.stdout.splitlines()[-1]
    succeed("git", "checkout", "--quiet", "README.md", cwd=server.folder)


@FIRST
def test_documented_commands_work_on_a_server(server: Stack) -> None:
    given = [
        command
        for command in documented(server.folder)
        if any(re.fullmatch(pattern, command) for pattern in ON_A_SERVER)
    ]
    assert len(given) > 12
    for command in given:
        result = run("bash", "-c", command, cwd=server.folder, text="")
        assert result.returncode == 0, f"{command}:\n{result.stdout[-2000:]}"
    assert eventually(server.ready, lambda status: status == 200) == 200
