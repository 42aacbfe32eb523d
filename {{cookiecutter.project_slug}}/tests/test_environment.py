"""What people write into .env."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory

from config.environment import {{ "boolean, choice, hosts, networks, number, rate" if cookiecutter.sample_app else "boolean, choice, hosts, networks, number" }}
from config.middleware import ClientAddressMiddleware


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.com localhost", ["example.com", "localhost"]),
        ("example.com,localhost", ["example.com", "localhost"]),
        ("https://Example.com/ http://localhost:8080", ["example.com", "localhost"]),
        (".example.com 127.0.0.1:80 [::1]:80", [".example.com", "127.0.0.1", "[::1]"]),
    ],
)
def test_names_of_hosts_are_found_in_what_people_write(text: str, expected: list[str]) -> None:
    assert hosts("ALLOWED_HOSTS", text) == expected


@pytest.mark.parametrize("text", ["true", "True", "yes", "on", "1"])
def test_there_are_many_words_for_true(text: str) -> None:
    assert boolean("HTTPS", text)


@pytest.mark.parametrize("text", ["false", "No", "off", "0", ""])
def test_there_are_many_words_for_false(text: str) -> None:
    assert not boolean("HTTPS", text)


def test_other_values_are_read() -> None:
    assert number("HSTS_SECONDS", "60", "3600") == 60
    assert choice("LOG_LEVEL", "info", ("INFO",)) == "INFO"
    assert networks("TRUSTED_PROXY", "10.0.0.0/8, 2001:db8::/32") == ["10.0.0.0/8", "2001:db8::/32"]
{% if cookiecutter.sample_app %}
    assert rate("API_ANON_RATE", "60/min") == "60/min"
{% endif %}


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (hosts, "*"),
        (hosts, ","),
        (hosts, "example.com/?a b_"),
        (hosts, "한국.kr"),
        (boolean, "ture"),
        (networks, "10.0.0.0/99"),
{% if cookiecutter.sample_app %}
        (rate, "60permin"),
{% endif %}
        (lambda name, value: number(name, value, "2", least=1), "0"),
        (lambda name, value: choice(name, value, ("INFO",)), "loud"),
    ],
)
def test_an_error_names_the_variable_the_value_and_one_that_works(
    read: Callable[[str, str], object], text: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^NAME=.* For example: NAME=\S+$") as refusal:
        read("NAME", text)
    assert text in str(refusal.value)


def test_the_address_of_the_client_is_the_one_that_nginx_saw(rf: RequestFactory) -> None:
    request = rf.get("/", headers={"x-forwarded-for": "192.0.2.7"})
    ClientAddressMiddleware(lambda request: None)(request)  # type: ignore[arg-type, return-value]
    assert request.META["REMOTE_ADDR"] == "192.0.2.7"


def test_without_nginx_the_address_is_the_servers(client: Client) -> None:
    assert client.get("/").wsgi_request.META["REMOTE_ADDR"] == "127.0.0.1"
