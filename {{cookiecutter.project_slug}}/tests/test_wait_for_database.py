"""The command that containers run at start."""

from collections.abc import Callable, Iterator

import pytest
from django.core.management import (
    CommandError,
    call_command,
    get_commands,
    load_command_class,
)
from django.db import OperationalError, connection


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


@pytest.mark.django_db
def test_a_migration_that_waits_for_a_lock_tries_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    attempts: Iterator[str] = iter(["Lock wait timeout exceeded", ""])

    def migrate(*args: object, **options: object) -> None:
        if problem := next(attempts):
            raise OperationalError(1205, problem)

    command = load_command_class(get_commands()["wait_for_database"], "wait_for_database")
    monkeypatch.setattr(f"{type(command).__module__}.call_command", migrate)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    call_command(command, migrate=True)
    assert "Waiting for a lock" in capsys.readouterr().out
    assert list(attempts) == []
