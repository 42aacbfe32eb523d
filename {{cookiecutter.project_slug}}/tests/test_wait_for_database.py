{% from "catalogue.jinja" import db with context %}
"""The command that containers run at start."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
from django.core.management import (
    CommandError,
    call_command,
    get_commands,
    load_command_class,
)
from django.db import OperationalError, connection
{% if "concurrent" not in db %}
from django.db.transaction import atomic
{% endif %}


def refuse() -> None:
    raise OperationalError("connection refused")


@pytest.mark.django_db
def test_returns_at_once_when_the_database_answers() -> None:
    call_command("wait_for_database", timeout=0)


def test_says_what_to_look_at_when_the_limit_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ensure_connection", refuse)
    with pytest.raises(CommandError, match=r"within 0 s: connection refused.*DATABASE_URL"):
        call_command("wait_for_database", timeout=0)


@pytest.mark.django_db
def test_migrates_if_it_is_asked_to(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("wait_for_database", migrate=True)
    assert "No migrations to apply" in capsys.readouterr().out


def test_does_not_wait_where_the_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def deny() -> None:
        raise OperationalError(1045, "Access denied for user 'site'")

    monkeypatch.setattr(connection, "ensure_connection", deny)
    with pytest.raises(CommandError, match=r"refuses DATABASE_URL: .*Access denied.*\.env"):
        call_command("wait_for_database", timeout=60)


@pytest.mark.django_db
def test_waits_for_a_database_that_comes_late(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attempts: Iterator[Callable[[], None]] = iter([refuse, refuse, lambda: None])
    monkeypatch.setattr(connection, "ensure_connection", lambda: next(attempts)())
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    call_command("wait_for_database", timeout=5)
    assert capsys.readouterr().out == "Waiting for the database ...\n"


@pytest.fixture
def migrate(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that runs the command with other migrations."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def run(migrations: Callable[[], object]) -> None:
        command = load_command_class(get_commands()["wait_for_database"], "wait_for_database")
        name = f"{type(command).__module__}.call_command"
        monkeypatch.setattr(name, lambda *args, **options: migrations())
        call_command(command, migrate=True)

    return run


def fail(problems: Iterator[str]) -> None:
    """Fail with one problem after the other."""
    if problem := next(problems, None):
        raise OperationalError(problem)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("problem", "times", "succeeds"),
    [("Lock wait timeout exceeded", 9, True), ("lock timeout", 10, False), ("syntax", 1, False)],
)
def test_migrations_that_wait_for_a_lock_run_again(
    problem: str,
    times: int,
    succeeds: bool,
    migrate: Callable[[Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection.features, "can_rollback_ddl", True)
    problems = iter([problem] * times)
    with nullcontext() if succeeds else pytest.raises(OperationalError, match=problem):
        migrate(lambda: fail(problems))
    assert list(problems) == []


{% if "concurrent" in db %}
@pytest.mark.django_db
def test_an_index_that_is_built_concurrently_may_wait_for_a_lock(
    migrate: Callable[[Callable[[], object]], None],
) -> None:
    statements = []

    def server(execute: Callable[..., object], sql: str, *args: object) -> None:
        statements.append(sql)

    def migrations() -> None:
        with connection.execute_wrapper(server), connection.cursor() as cursor:
            cursor.execute("CREATE INDEX name ON items (value)")
            cursor.execute("CREATE INDEX {{ db.concurrent }} name ON items (value)")

    migrate(migrations)
    assert statements == [
        "CREATE INDEX name ON items (value)",
        "SET lock_timeout = 0",
        "CREATE INDEX {{ db.concurrent }} name ON items (value)",
        "RESET lock_timeout",
    ]
{% else %}
@pytest.mark.django_db(transaction=True)
def test_where_a_statement_stays_done_only_the_next_one_runs_again(
    migrate: Callable[[Callable[[], object]], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(connection.features, "can_rollback_ddl", False)
    problems = iter(["Lock wait timeout exceeded"])

    def server(execute: Callable[..., object], *args: object) -> object:
        fail(problems)
        return execute(*args)

    def migrations() -> None:
        with connection.execute_wrapper(server), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            with atomic():
                cursor.execute("SELECT 2")

    migrate(migrations)
    assert capsys.readouterr().out.count("Waiting for a lock") == 1
{% endif %}
