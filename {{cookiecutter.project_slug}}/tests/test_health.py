"""What load balancers are told."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.core.handlers.exception import response_for_exception
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory


def test_live_needs_no_database_and_no_known_host(client: Client) -> None:
    response = client.get("/health/live", headers={"host": "192.0.2.1"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_ready_when_all_is_well(client: Client) -> None:
    response = client.get("/health/ready")
    checks = {"database": "ok", "migrations": "ok", "cache": "ok"}
    assert (response.status_code, response.json()) == (200, {"status": "ok", "checks": checks})


def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("password=secret")

    monkeypatch.setattr(connection, "cursor", refuse)
    response = client.get("/health/ready")
    checks = {"database": "failed", "migrations": "failed", "cache": "ok"}
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "checks": checks}


@pytest.mark.django_db
def test_not_ready_when_the_migrations_cannot_be_read(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, connection: object) -> None:
        raise OperationalError("permission denied")

    monkeypatch.setattr("config.health.MigrationExecutor.__init__", refuse)
    assert client.get("/health/ready").status_code == 503


@pytest.mark.django_db
def test_not_ready_before_the_migrations(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations")
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "ok", "migrations": "failed", "cache": "ok"}


def forget(key: str) -> None:
    """Fail soft, as the caches of production do."""


def fail(key: str) -> None:
    raise ConnectionError("refused")


@pytest.mark.django_db
@pytest.mark.parametrize("get", [forget, fail])
def test_ready_but_degraded_without_the_cache(
    client: Client, monkeypatch: pytest.MonkeyPatch, get: Callable[[str], None]
) -> None:
    monkeypatch.setattr(cache, "get", get)
    response = client.get("/health/ready")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["cache"] == "failed"


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """Return what a visitor gets when a view raises an error."""
    try:
        raise error
    except type(error):
        return response_for_exception(request, error)


@pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (ValueError, 500)])
def test_a_page_without_the_database_is_unavailable_and_not_broken(
    rf: RequestFactory, error: type[Exception], status: int
) -> None:
    response = answer(rf.get("/"), error("secret"))
    assert response.status_code == status
    assert response.headers.get("Retry-After") == ("5" if status == 503 else None)
    assert "secret" not in response.text


def test_an_error_is_answered_even_if_its_page_has_one(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ValueError

    monkeypatch.setattr("config.health.internal_error", fail)
    response = answer(rf.get("/"), ValueError())
    assert (response.status_code, response.content) == (500, b"Server Error")
