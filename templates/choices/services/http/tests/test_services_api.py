"""Services that call the API: what the user of their name may do, they may do."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from {{ cookiecutter.project_slug }}.accounts.models import User
from {{ cookiecutter.project_slug }}.services import callers, tokens
from {{ cookiecutter.project_slug }}.services.client import ServiceUnavailable

ME = "/api/v1/me/"


class Published:
    """A service that publishes this one's own keys."""

    def get(self, path: str) -> "Published":
        return self

    def raise_for_status(self) -> "Published":
        return self

    def json(self) -> dict[str, Any]:
        return tokens.published()


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this one the service `shop`, which calls itself."""
    monkeypatch.setattr(settings, "SERVICE_NAME", "shop")
    monkeypatch.setattr(settings, "SERVICE_URLS", {"shop": "http://shop:8080"})
    monkeypatch.setattr(callers, "service", lambda name: Published())
    callers.key_set.cache_clear()


def ask(token: str) -> Any:
    # Get the answer that a service would get, instead of the traceback.
    client = Client(raise_request_exception=False)
    return client.get(ME, headers={"authorization": f"Bearer {token}"})


@pytest.mark.django_db
def test_a_service_is_the_user_of_its_name() -> None:
    User.objects.create_user("shop")
    response = ask(tokens.sign("shop"))
    assert (response.status_code, response.json()["username"]) == (200, "shop")


@pytest.mark.django_db
@pytest.mark.parametrize("active", [None, False])
def test_a_service_without_an_active_user_is_refused(active: bool | None) -> None:
    if active is not None:
        User.objects.create_user("shop", is_active=active)
    assert ask(tokens.sign("shop")).status_code == 401


@pytest.mark.django_db
def test_a_token_for_another_service_is_refused() -> None:
    User.objects.create_user("shop")
    response = ask(tokens.sign("billing"))
    assert response.status_code == 401
    assert response.json()["errors"][0]["code"] == "authentication_failed"
    assert "WWW-Authenticate" in response.headers


def test_a_service_whose_keys_are_not_there_may_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> Published:
        raise ServiceUnavailable(name, "it is down")

    monkeypatch.setattr(callers, "service", gone)
    response = ask(tokens.sign("shop"))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
