"""What happens if a database or a cache is frozen, cut off or busy, and comes back."""

import threading
import time
from functools import partial

import pytest

from tests.endurance.conftest import (
    TROUBLES,
    at_once,
    server,
    starts,
    visitor,
)
from tests.stack.conftest import NGINX, Stack, eventually
from tests.support.catalogue import CATALOGUE
from tests.support.commands import succeed
from tests.support.stacks import LONG, STACKS, only_in_the_long_form

pytestmark = pytest.mark.stack


def ready_word(stack: Stack) -> str:
    """Return the first word of the readiness check."""
    return str(stack.get("/health/ready").json()["status"])


@pytest.mark.parametrize("trouble", TROUBLES)
def test_without_the_cache_pages_come_within_a_second(
    stack: Stack, answers: dict[str, str], trouble: str
) -> None:
    name = server("cache", answers)
    path = "/districts/" if answers.get("sample_app") != "false" else "/"
    with TROUBLES[trouble](stack, name):
        with (
            visitor(stack, "/") as page,
            visitor(stack, path) as cached,
            visitor(stack, "/health/live"),
        ):
            time.sleep(8)
        assert ready_word(stack) == "degraded"
    assert set(page.counts) == set(cached.counts) == {200}
    assert page.slowest < 1
    assert cached.slowest < 1.2
    assert eventually(lambda: ready_word(stack), lambda word: word == "ok", 10) == "ok"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_without_the_database_a_page_is_503_within_five_seconds(
    stack: Stack, answers: dict[str, str], trouble: str
) -> None:
    name = server("database", answers)
    before = starts(stack)
    with TROUBLES[trouble](stack, name):
        time.sleep(1)
        with (
            visitor(stack, "/") as page,
            visitor(stack, "/health/ready") as ready,
            visitor(stack, "/table") as table,
        ):
            crowd = at_once(stack, 30, "/table")
            time.sleep(8)
    healed = time.monotonic()
    assert eventually(stack.ready, lambda status: status == 200, 10) == 200
    assert eventually(lambda: stack.get("/table").status_code, lambda s: s == 200, 10) == 200
    assert time.monotonic() - healed < 10
    assert set(page.counts) == {200}
    assert set(ready.counts) == set(table.counts) == set(crowd.counts) == {503}
    assert max(ready.slowest, table.slowest, crowd.slowest) < 5
    assert page.slowest < 5
    assert starts(stack) == before


# These lock a table for a while in a transaction, as a migration does.
LOCKS = {
    "mysql": "LOCK TABLES accounts_user WRITE",
    "postgresql": "LOCK TABLE accounts_user IN ACCESS EXCLUSIVE MODE",
}
LOCK = """
import time
from django.db import connection, transaction
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute({statement!r})
    print("locked", flush=True)
    time.sleep({seconds})
"""


# A replica answers sixteen at once, in one process or two. Twelve that wait may fill one of two: it must leave the
# next page to the other.
@pytest.mark.parametrize(
    ("replicas", "gets"), [(1, 12), pytest.param(3, 20, marks=only_in_the_long_form)]
)
def test_a_locked_table_keeps_no_other_page_waiting(
    stack: Stack, answers: dict[str, str], replicas: int, gets: int
) -> None:
    server("database", answers)
    engine = CATALOGUE["_databases"][answers["database"]]["engine"].rpartition(".")[2]
    script = LOCK.format(statement=LOCKS[engine], seconds=12)
    stack.up("--scale", f"backend={replicas}")
    before = starts(stack)
    words = ["exec", "-T", "backend", "python", "manage.py", "shell", "-v0", "-c", script]
    lock = threading.Thread(target=lambda: stack.compose(*words))
    try:
        lock.start()
        blocked = eventually(
            lambda: stack.get("/table").status_code, lambda status: status == 503, 30
        )
        assert blocked == 503, "the table is locked"
        with visitor(stack, "/", 0.05) as page, visitor(stack, "/health/live", 0.05) as live:
            waiting = at_once(stack, gets, "/table")
        assert waiting.counts == {503: gets}
        assert waiting.slowest < 10
        assert set(page.counts) == set(live.counts) == {200}
        assert page.within(1) >= 0.99
        # One that waited for the lock would take three; the short form shares its machine with other tests.
        assert page.slowest < (1 if LONG else 2.5)
        assert starts(stack) == before
    finally:
        lock.join()
        stack.up("--scale", "backend=1")
    assert eventually(lambda: stack.get("/table").status_code, lambda s: s == 200, 10) == 200


FIRST = next(iter(STACKS.values()))
# Rows of a quarter of a kilobyte: a gigabyte in the long form, else half of one, which is more than fits into
# the memory that the limit leaves.
ROWS = 22 if LONG else 20
FILL = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("DROP TABLE IF EXISTS many")
    cursor.execute("CREATE TABLE many (id {id}, word VARCHAR(250))")
    cursor.execute("INSERT INTO many (word) VALUES (REPEAT('x', 100))")
    for _ in range({doublings}):
        cursor.execute("INSERT INTO many (word) SELECT LEFT(CONCAT({rand}, word), 230) FROM many")
"""
IDS = {
    "mysql": "INTEGER AUTO_INCREMENT PRIMARY KEY",
    "postgresql": "SERIAL PRIMARY KEY",
}


def test_an_index_on_many_rows_is_made_while_the_site_answers(
    stack: Stack, answers: dict[str, str]
) -> None:
    server("database", answers)
    if not LONG and answers != FIRST:
        pytest.skip("`make endurance` does it with each database")
    engine = CATALOGUE["_databases"][answers["database"]]["engine"].rpartition(".")[2]
    rand = "RANDOM()" if engine == "postgresql" else "RAND()"
    fill = FILL.format(id=IDS[engine], doublings=ROWS, rand=rand)
    stack.execute("backend", "python", "manage.py", "shell", "-v0", "-c", fill)
    before = starts(stack)
    index = "from django.db import connection; connection.cursor().execute('CREATE INDEX many_word ON many (word)')"
    with visitor(stack, "/") as page, visitor(stack, "/table") as table:
        stack.execute("backend", "python", "manage.py", "shell", "-v0", "-c", index)
    assert set(page.counts) == set(table.counts) == {200}
    assert starts(stack) == before
    drop = "from django.db import connection; connection.cursor().execute('DROP TABLE many')"
    stack.execute("backend", "python", "manage.py", "shell", "-v0", "-c", drop)


def test_a_reload_of_nginx_loses_no_request(stack: Stack) -> None:
    with visitor(stack, "/", 0) as page, visitor(stack, "/slow?seconds=1", 0) as slow:
        for _ in range(10 if LONG else 4):
            stack.execute("nginx", *NGINX, "-s", "reload")
            time.sleep(1)
    assert set(page.counts) == set(slow.counts) == {200}
    assert len(page.rows) > 100


@pytest.mark.skipif(not LONG, reason="tests/stack has a shorter form of it")
def test_backends_one_after_the_other_lose_no_request(stack: Stack) -> None:
    stack.up("--scale", "backend=2")
    first, second = stack.compose("ps", "--quiet", "backend").split()
    words = ["docker", "inspect", "--format", "{{.State.Health.Status}}"]

    def health(name: str) -> str:
        return succeed(*words, name, cwd=stack.folder).strip()

    try:
        with visitor(stack, "/", 0) as page, visitor(stack, "/slow?seconds=1", 0) as slow:
            for name in (first, second):
                succeed("docker", "restart", name, cwd=stack.folder)
                eventually(partial(health, name), lambda status: status == "healthy")
                time.sleep(2)  # longer than nginx keeps an address
        assert set(page.counts) == set(slow.counts) == {200}
    finally:
        stack.up("--scale", "backend=1")
