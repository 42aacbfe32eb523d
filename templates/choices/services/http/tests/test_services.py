"""Calls to other services, and who calls. There is no network: httpx answers itself."""

import json
import pickle
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import httpx
import jwt
import pytest
import stamina
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django_guid import set_guid

from {{ cookiecutter.project_slug }}.services import callers, client, tokens
from {{ cookiecutter.project_slug }}.services.client import Service, ServiceUnavailable, service
from {{ cookiecutter.project_slug }}.services.decorators import only_services
from {{ cookiecutter.project_slug }}.services.middleware import ServiceUnavailableMiddleware
from {{ cookiecutter.project_slug }}.services.settings import keys, urls

OLD, NEW = "1" * 64, "2" * 64
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return time.time()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Let no time pass, neither between calls nor between attempts."""
    clock = Clock()
    for module in (callers, client):
        monkeypatch.setattr(module, "time", clock)
    with stamina.set_testing(True, attempts=client.ATTEMPTS, cap=True):
        yield clock


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Make this one the service `shop`, which calls itself; return the requests for its keys."""
    requests = []

    def publish(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=tokens.published())

    monkeypatch.setattr(settings, "SERVICE_NAME", "shop")
    monkeypatch.setattr(settings, "SERVICE_URLS", {"shop": "http://shop:8080"})
    monkeypatch.setattr(settings, "SERVICE_KEYS", [OLD])
    shop = Service("shop", "http://shop:8080", httpx.MockTransport(publish))
    monkeypatch.setattr(callers, "service", lambda name: shop)
    callers.key_set.cache_clear()
    return requests


def answering(*answers: int | Exception) -> tuple[Service, list[httpx.Request]]:
    """Return a service that gives these answers, the last one for ever, and the requests that it gets."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        answer = answers[min(len(requests), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={"path": request.url.path})

    return Service("billing", "http://billing:8080/v1", httpx.MockTransport(answer)), requests


def claims(**changes: object) -> dict[str, Any]:
    """Return what a good token says, with changes."""
    now = int(time.time())
    return {"iss": "shop", "aud": "shop", "iat": now, "exp": now + 60, **changes}


def signed(key: str = OLD, **changes: object) -> str:
    """Return a token with changes."""
    kid, private = tokens.load(key)
    payload = json.dumps(claims(**changes)).encode()
    return jwt.PyJWS().encode(payload, private, tokens.ALGORITHM, headers={"kid": kid})


def test_a_call_says_who_asks_and_for_which_request() -> None:
    billing, requests = answering(200)
    set_guid("0123456789abcdef0123456789abcdef")
    assert billing.get("/invoices/7/", params={"full": 1}).json() == {"path": "/v1/invoices/7/"}
    assert requests[0].url == "http://billing:8080/v1/invoices/7/?full=1"
    assert requests[0].headers["x-request-id"] == "0123456789abcdef0123456789abcdef"
    scheme, _, token = requests[0].headers["authorization"].partition(" ")
    said = jwt.decode(token, options={"verify_signature": False})
    assert (scheme, said["iss"], said["aud"]) == ("Bearer", "shop", "billing")
    assert said["exp"] - said["iat"] == tokens.LIFETIME


@pytest.mark.parametrize("failure", [503, httpx.ConnectError("no"), httpx.ReadTimeout("slow")])
def test_what_may_arrive_twice_is_tried_again(failure: int | Exception) -> None:
    billing, requests = answering(failure, failure, 200)
    assert billing.get("/").status_code == 200
    assert len(requests) == 3


def test_what_must_not_arrive_twice_is_not() -> None:
    billing, requests = answering(503)
    with pytest.raises(ServiceUnavailable, match="The service billing is not available"):
        billing.post("/", json={})
    assert len(requests) == 1


def test_an_error_survives_the_way_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(ServiceUnavailable("billing", "slow")))  # noqa: S301
    assert str(error) == "The service billing is not available: slow"


def test_an_answer_that_says_no_is_one() -> None:
    billing, requests = answering(404)
    assert billing.get("/").status_code == 404
    assert len(requests) == 1


def test_a_service_that_fails_is_left_alone_for_a_while(clock: Clock) -> None:
    billing, requests = answering(*[503] * (client.FAILURES + 1), 200)
    for _ in range(3):
        with pytest.raises(ServiceUnavailable, match="billing"):
            billing.get("/")
    assert len(requests) == client.FAILURES
    # After a pause, one attempt; it fails, so there is no second.
    clock.now += client.PAUSE + 1
    with pytest.raises(ServiceUnavailable, match="in a row"):
        billing.get("/")
    assert len(requests) == client.FAILURES + 1
    clock.now += client.PAUSE + 1
    assert [billing.get("/").status_code for _ in range(2)] == [200, 200]


def test_an_answer_that_comes_in_drops_is_too_late(clock: Clock) -> None:
    def drip(request: httpx.Request) -> httpx.Response:
        def drops() -> Iterator[bytes]:
            while True:
                clock.now += 1
                yield b"."

        return httpx.Response(200, content=drops())

    with pytest.raises(ServiceUnavailable, match="ReadTimeout"):
        Service("billing", "http://billing:8080", httpx.MockTransport(drip)).get("/")
    assert clock.now - 1000 <= client.DEADLINE + client.ATTEMPTS


def test_there_is_one_client_for_each_service() -> None:
    service.cache_clear()
    assert service("shop") is service("shop")
    with pytest.raises(ImproperlyConfigured, match="SERVICE_URLS has no service stock"):
        service("stock")


def test_a_page_that_needs_a_missing_service_answers_503(rf: RequestFactory) -> None:
    middleware = ServiceUnavailableMiddleware(lambda request: HttpResponse("ok"))
    request = rf.get("/")
    assert middleware(request).content == b"ok"
    missing = middleware.process_exception(request, ServiceUnavailable("billing", "no"))
    assert missing
    assert (missing.status_code, missing.headers["Retry-After"]) == (503, "5")
    assert middleware.process_exception(request, ValueError()) is None


def test_the_published_keys_are_public(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SERVICE_KEYS", [NEW, OLD])
    published = client.get("/.well-known/jwks.json").json()["keys"]
    assert [key["kid"] for key in published] == [tokens.load(key)[0] for key in (NEW, OLD)]
    assert all("d" not in key for key in published)


def test_a_token_is_recognized_with_the_keys_of_its_service(shop: list[httpx.Request]) -> None:
    assert [callers.caller(tokens.sign("shop")) for _ in range(2)] == ["shop", "shop"]
    assert [request.url.path for request in shop] == [callers.KEYS]


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "billing"},
        {"exp": 1_000_000_000},  # In 2001.
        {"iat": 10_000_000_000},  # In 2286.
        {"iss": "stock"},
        {"iss": ["shop"]},
        {"key": NEW},
    ],
    ids=str,
)
def test_a_token_for_another_or_too_old_or_forged_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(jwt.PyJWTError):
        callers.caller(signed(**changes))


def test_a_token_without_a_signature_is_refused() -> None:
    kid, _ = tokens.load(OLD)
    with pytest.raises(jwt.PyJWTError):
        callers.caller(jwt.encode(claims(), "", "none", headers={"kid": kid}))
    with pytest.raises(jwt.PyJWTError):
        callers.caller("no token")


def test_a_new_key_is_recognized_and_a_removed_one_no_longer(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    before = tokens.sign("shop")
    assert callers.caller(before) == "shop"
    monkeypatch.setattr(settings, "SERVICE_KEYS", [NEW, OLD])
    clock.now += callers.PAUSE + 1
    assert [callers.caller(token) for token in (before, tokens.sign("shop"))] == ["shop", "shop"]
    monkeypatch.setattr(settings, "SERVICE_KEYS", [NEW])
    clock.now += callers.LIFETIME + 1
    assert callers.caller(tokens.sign("shop")) == "shop"
    with pytest.raises(jwt.InvalidKeyError):
        callers.caller(before)


def test_unknown_keys_do_not_make_it_ask_again_and_again(
    shop: list[httpx.Request], clock: Clock
) -> None:
    for pause in (0, 1, callers.PAUSE + 1):
        clock.now += pause
        with pytest.raises(jwt.InvalidKeyError):
            callers.caller(signed(NEW))
    assert len(shop) == 2


def test_nobody_waits_for_keys_that_another_fetches(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    def fetch(keys: callers.KeySet) -> None:
        fetching.set()
        fetched.wait(10)

    fetching, fetched = Event(), Event()
    token = tokens.sign("shop")
    assert callers.caller(token) == "shop"
    clock.now += callers.PAUSE + 1
    monkeypatch.setattr(callers.KeySet, "fetch", fetch)
    with ThreadPoolExecutor() as pool:
        another = pool.submit(callers.caller, signed(NEW))
        assert fetching.wait(10)
        assert callers.caller(token) == "shop"
        with pytest.raises(ServiceUnavailable, match="its keys are not known"):
            callers.caller(signed(NEW))
        assert not another.done()
        fetched.set()
    assert isinstance(another.exception(), jwt.InvalidKeyError)


def test_without_the_keys_of_a_caller_nobody_can_say_who_it_is(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    known = callers.key_set("shop")
    broken, requests = answering(404)
    token = tokens.sign("shop")
    with monkeypatch.context() as patch:
        patch.setattr(callers, "service", lambda name: broken)
        for _ in range(2):
            with pytest.raises(ServiceUnavailable, match="its keys are not known"):
                callers.caller(token)
        assert len(requests) == 1
    clock.now += callers.PAUSE + 1
    assert callers.caller(token) == "shop"
    # Keys that are there outlast their service.
    monkeypatch.setattr(callers, "service", lambda name: broken)
    clock.now += callers.LIFETIME + 1
    assert callers.caller(token) == "shop"
    assert known.keys


@pytest.mark.parametrize(
    ("names", "authorization", "status"),
    [
        (["shop"], "Bearer {}", 200),
        (["stock"], "Bearer {}", 403),
        (["shop"], "Basic {}", 401),
        (["shop"], "", 401),
    ],
)
def test_a_view_may_be_for_some_services_only(
    names: list[str], authorization: str, status: int, rf: RequestFactory
) -> None:
    @only_services(*names)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    headers = {"authorization": authorization.format(tokens.sign("shop"))}
    assert view(rf.post("/", headers=headers)).status_code == status


def test_the_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "billing=http://billing:8080, stock=https://stock.example.com/v1/")
    found = {"billing": "http://billing:8080", "stock": "https://stock.example.com/v1/"}
    assert urls("NAME") == found
    monkeypatch.setenv("NAME", NEW)
    monkeypatch.setenv("NAME_FALLBACKS", OLD)
    assert keys("NAME", None) == [NEW, OLD]


@pytest.mark.parametrize(
    "text",
    [
        "http://billing:8080",
        "billing",
        "billing=billing:8080",
        "billing=http://user:hunter2@billing",
        "Billing=http://billing",
        "billing=http://a billing=http://b",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_shown(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME", text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME .* For example: NAME=") as refusal:
        urls("NAME")
    assert "hunter2" not in str(refusal.value)


def test_a_key_that_is_none_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME_FALLBACKS", "hunter2")
    with pytest.raises(ImproperlyConfigured, match=r"^NAME_FALLBACKS is not 64 hex") as refusal:
        keys("NAME", OLD)
    assert "hunter2" not in str(refusal.value)
