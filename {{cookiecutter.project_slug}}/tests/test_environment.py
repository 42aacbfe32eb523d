"""What people write into .env, and how it is read."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.http import HttpResponse
from django.test import RequestFactory

from config.environment import (
    address,
    boolean,
    choice,
    database,
    hosts,
    mailer,
    networks,
    number,
    setting,
    share,
    url,
)
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
def test_names_of_hosts_are_found_in_what_people_write(
    text: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME", text)
    assert hosts("NAME", None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((word, True) for word in ("true", "True", "yes", "on", "1")),
        *((word, False) for word in ("false", "No", "off", "0", "")),
    ],
)
def test_there_are_many_words_for_true_and_false(
    text: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME", text)
    assert boolean("NAME") is expected


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (lambda name: number(name, 3600), "60", 60),
        (lambda name: number(name, 3600), "", 3600),
        (lambda name: choice(name, "INFO", "DEBUG"), "debug", "DEBUG"),
        (networks, "10.0.0.0/8, 2001:db8::/32", ["10.0.0.0/8", "2001:db8::/32"]),
        (share, ".25", 0.25),
        (share, "", 1),
        (address, "https://traces.example.com:4318/", "https://traces.example.com:4318/"),
        (address, "", ""),
    ],
)
def test_other_values_are_read(
    read: Callable[[str], object], text: str, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME", text)
    assert read("NAME") == expected


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda name: hosts(name, None), "*"),
        (lambda name: hosts(name, None), ","),
        (lambda name: hosts(name, None), "example.com/?a b_"),
        (lambda name: hosts(name, None), "한국.kr"),
        (boolean, "ture"),
        (networks, "10.0.0.0/99"),
        (lambda name: number(name, 2, least=1), "0"),
        (lambda name: number(name, 10, most=29), "30"),
        (lambda name: choice(name, "INFO", "DEBUG"), "loud"),
        (share, "10%"),
        (share, "1.5"),
        (address, "collector:4318"),
    ],
)
def test_an_error_names_the_variable_the_value_and_one_that_works(
    read: Callable[[str], object], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME", text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME=.* For example: NAME=\S+$") as refusal:
        read("NAME")
    assert text in str(refusal.value)


def test_a_variable_that_has_to_be_there_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="Set the NAME environment variable"):
        hosts("NAME", None)


def test_it_may_be_missing_where_the_image_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_BUILD", "true")
    monkeypatch.delenv("ALLOWED_HOSTS", raising=False)
    assert setting("NAME", None)
    assert hosts("ALLOWED_HOSTS", None) == ["localhost"]


def test_it_may_not_be_missing_on_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_BUILD", "true")
    monkeypatch.setenv("DJANGO_SERVING", "true")
    with pytest.raises(ImproperlyConfigured, match="Set the NAME environment variable"):
        setting("NAME", None)


def test_options_for_tls_are_passed_on_to_the_database() -> None:
    found = database("mysql://user:p%40ss@db.example.com/site?ssl-mode=VERIFY_CA&ssl-ca=/ca.pem")
    assert (found["HOST"], found["PASSWORD"]) == ("db.example.com", "p@ss")
    assert found["OPTIONS"] == {"ssl_mode": "VERIFY_CA", "ssl": {"ca": "/ca.pem"}}
    found = database("postgresql://user@db.example.com/site?sslmode=verify-full&sslrootcert=system")
    assert found["OPTIONS"] == {"sslmode": "verify-full", "sslrootcert": "system"}


@pytest.mark.parametrize(
    ("text", "port", "tls", "ssl"),
    [
        ("smtp://user:p%40ss@mail.example.com", 25, False, False),
        ("smtp+tls://user:p%40ss@mail.example.com", 587, True, False),
        ("smtp+ssl://user:p%40ss@mail.example.com:4465", 4465, False, True),
    ],
)
def test_one_url_says_where_mail_goes(
    text: str, port: int, tls: bool, ssl: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAME", text)
    options = mailer("NAME", "")["OPTIONS"]
    assert (options["username"], options["password"]) == ("user", "p@ss")
    assert (options["port"], options["use_tls"], options["use_ssl"]) == (port, tls, ssl)


def test_in_development_mail_goes_to_the_console() -> None:
    assert mailer("NAME", "consolemail://")["BACKEND"].endswith(".console.EmailBackend")


@pytest.mark.parametrize("text", ["mail://user:hunter2@example.com", "smtp://a:hunter2@b:port"])
def test_an_error_shows_no_password(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME is not .* For example: NAME=") as error:
        mailer("NAME", "")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("text", ["db.example.com", "mail://user:hunter2@example.com/site"])
def test_a_url_of_no_database_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", text)
    with pytest.raises(ImproperlyConfigured, match=r"^NAME is not .* For example: NAME=") as error:
        url("NAME", None, database, "postgresql://user:password@db.example.com/site")
    assert "hunter2" not in str(error.value)


def test_mail_that_is_sent_comes_from_the_site(mailoutbox: list[EmailMessage]) -> None:
    call_command("sendtestemail", "someone@example.com")
    assert [mail.from_email for mail in mailoutbox] == [settings.DEFAULT_FROM_EMAIL]


def test_a_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("$ecret\n")
    monkeypatch.setenv("NAME_FILE", str(tmp_path / "secret"))
    assert setting("NAME", None) == "$ecret"


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME_FILE", "/nowhere/secret")
    with pytest.raises(ImproperlyConfigured, match=r"^NAME_FILE=/nowhere/secret cannot be read: "):
        setting("NAME", "default")


def test_a_secret_stands_in_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("new")
    monkeypatch.setenv("NAME", "old")
    monkeypatch.setenv("NAME_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match=r"^NAME and NAME_FILE are both set"):
        setting("NAME", None)


@pytest.mark.parametrize(
    ("headers", "address"), [({"x-forwarded-for": "192.0.2.7"}, "192.0.2.7"), ({}, "127.0.0.1")]
)
def test_the_address_of_the_client_is_the_one_that_nginx_saw_or_the_servers(
    headers: dict[str, str], address: str, rf: RequestFactory
) -> None:
    request = rf.get("/", headers=headers)
    ClientAddressMiddleware(lambda request: HttpResponse())(request)
    assert request.META["REMOTE_ADDR"] == address
