"""What strangers may do to the API of the sample application."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.endurance.conftest import Answers, at_once, patient
from tests.stack.conftest import Stack

pytestmark = pytest.mark.stack

LOGIN = "/api/v1/login/kakao/"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module", autouse=True)
def login(stack: Stack) -> None:
    """Set up the login, and let strangers ask more often than usual."""
    stack.env |= {"KAKAO_CLIENT_ID": "nobody", "API_LOGIN_RATE": "1000/min"}
    stack.up()


@pytest.mark.parametrize(
    "body",
    [b'{"code": "' + b"x" * 3_000_000 + b'"}', b"[" * 100_000, b'{"a":' * 100_000],
    ids=["3 MB", "brackets", "braces"],
)
@pytest.mark.parametrize("path", [LOGIN, "/api/v1/login/refresh/", "/api/v1/readings/"])
def test_a_body_that_is_too_much_is_the_clients_fault(stack: Stack, path: str, body: bytes) -> None:
    with patient(stack) as client:
        response = client.post(path, content=body, headers=JSON)
    assert 400 <= response.status_code < 500, response.text
    assert response.headers["Content-Type"].startswith("application/json")


def test_a_form_that_is_too_much_is_the_clients_fault(stack: Stack) -> None:
    with patient(stack) as client:
        response = client.post(LOGIN, data={"code": "x" * 3_000_000})
    assert 400 <= response.status_code < 500, response.text


def test_many_clients_at_once_get_hardly_more_than_is_allowed(stack: Stack) -> None:
    path = "/api/v1/readings/"
    answers = Answers()
    with patient(stack) as client, ThreadPoolExecutor(40) as pool:
        for _ in range(400):
            pool.submit(answers.ask, client, path)
    assert set(answers.counts) == {200, 429}
    # 60 per minute, and those that pass Django's count at the same moment.
    assert answers.counts[200] <= 100


def test_the_readiness_check_cannot_be_asked_without_end(stack: Stack) -> None:
    answers = at_once(stack, 200, "/health/ready", threads=20)
    assert set(answers.counts) == {200, 429}
