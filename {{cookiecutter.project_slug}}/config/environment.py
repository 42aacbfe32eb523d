{% from "catalogue.jinja" import db, queue, calls with context %}
"""Read what people write into .env, or refuse it with a message that says what to write instead.

A misunderstood setting would only show later, as a page that does not load or a redirect that is missing.
nginx/release.sh reads the same variables in the same way.
"""

import os
import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")
# A host name, with a leading dot if it includes all subdomains, or an IPv6 address.
HOST = re.compile(r"\.?[a-z0-9]([a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
# With DJANGO_BUILD set, these stand for what has to be set and is not, and "build" for all others: the image is built
# and the settings are checked where there is no .env. Nothing there signs, stores or serves.
BUILD_VALUES = {
    "ALLOWED_HOSTS": "localhost",
    "CACHE_URL": "locmemcache://",
{% if queue.image %}
    "CELERY_BROKER_URL": "redis://",
{% endif %}
    "DATABASE_URL": "sqlite://",
    "DJANGO_SECRET_KEY": "signs-nothing-but-must-be-as-long-as-a-real-one-is-to-pass-the-checks",
{% if calls.over_http %}
    "SERVICE_KEY": "0" * 64,
{% endif %}
}


def build_value(name: str) -> str | None:
    """Return what stands for a variable where there is no .env; none on a server."""
    building = os.environ.get("DJANGO_BUILD") and not os.environ.get("DJANGO_SERVING")
    return BUILD_VALUES.get(name, "build") if building else None


def file_contents(name: str) -> str:
    """Return the contents of the file that a variable names, without line ends; empty if it names none."""
    path = os.environ.get(name)
    try:
        return Path(path).read_text("utf-8").strip("\r\n") if path else ""
    except (OSError, UnicodeError) as error:
        raise ImproperlyConfigured(f"{name}={path} cannot be read: {error}") from None


def setting(name: str, default: str | None) -> str:
    """Return the value of a variable; the default, if there is one, if it is empty or unset.

    A secret may also be in a file, whose path is in a variable with _FILE at the end of its name.
    """
    value, contents = os.environ.get(name), file_contents(f"{name}_FILE")
    if value and contents:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: remove one of them")
    value = value or contents or default
    if value is None:
        value = build_value(name)
    if value is None:
        raise ImproperlyConfigured(f"Set the {name} environment variable")
    return value


def words(text: str) -> list[str]:
    """Return the words of a list separated by spaces or commas."""
    return text.replace(",", " ").split()


def refusal(name: str, value: str, problem: str, example: str) -> ImproperlyConfigured:
    """Return the error that names a variable, its value and one that works."""
    return ImproperlyConfigured(f"{name}={value} {problem}. For example: {name}={example}")


def boolean(name: str) -> bool:
    """Return what a word such as true, no or 1 means; false if there is none."""
    value = setting(name, "false")
    if value.lower() not in TRUE + FALSE:
        raise refusal(name, value, "is neither true nor false", "true")
    return value.lower() in TRUE


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """Return a whole number."""
    value = setting(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise refusal(name, value, f"is not a whole number of at least {least}", str(default))
    if most is not None and int(value) > most:
        raise refusal(name, value, f"is more than {most}", str(min(default, most)))
    return int(value)


def choice(name: str, *choices: str) -> str:
    """Return one of the given words, in capitals; the first is the default."""
    value = setting(name, choices[0])
    if value.upper() not in choices:
        raise refusal(name, value, f"is none of {', '.join(choices)}", choices[0])
    return value.upper()


def hosts(name: str, default: str | None) -> list[str]:
    """Return host names, without any scheme, port or path."""
    value = setting(name, default)
    found = []
    for word in words(value.lower()):
        host = re.sub(r"^https?://|(:[0-9]+)?(/.*)?$", "", word)
        if host == "*":
            problem = "stands for every host; nginx and Django need the names of this site"
            raise refusal(name, value, problem, "example.com")
        if not HOST.fullmatch(host):
            example = "example.com" if host.isascii() else host.encode("idna").decode()
            raise refusal(name, value, f"has {word}, which is not the name of a host", example)
        found.append(host)
    if not found:
        raise refusal(name, value, "names no host", "example.com")
    return found


def networks(name: str) -> list[str]:
    """Return addresses and address ranges; none if the variable is empty."""
    value = setting(name, "")
    for word in words(value):
        try:
            ip_network(word)
        except ValueError as error:
            problem = f"is not a range of addresses: {error}"
            raise refusal(name, value, problem, "10.0.0.0/16") from None
    return words(value)


def share(name: str) -> float:
    """Return a number from 0 to 1, which is the default."""
    value = setting(name, "1")
    if not re.fullmatch(r"0?\.[0-9]+|0|1(\.0+)?", value):
        raise refusal(name, value, "is not a number from 0 to 1", "0.1")
    return float(value)


def address(name: str) -> str:
    """Return the address of a server for http or https; empty if the variable is."""
    value = setting(name, "")
    if value and not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise refusal(name, value, "is not the address of a server", "http://collector:4318")
    return value


def url(
    name: str, default: str | None, parse: Callable[[str], dict[str, Any]], example: str
) -> dict[str, Any]:
    """Return what a URL stands for. An error does not show it: it may contain a password."""
    value = setting(name, default)
    try:
        return parse(value)
    except (ImproperlyConfigured, ValueError):
        problem = "is not a URL of the kind that is needed"
        raise ImproperlyConfigured(f"{name} {problem}. For example: {name}={example}") from None


def database(text: str) -> dict[str, Any]:
    """Return Django's settings for a URL; its options may have hyphens, as in ssl-mode and ssl-ca."""
    # For others, Env warns, with the whole URL.
    if urlsplit(text).scheme not in Env.DB_SCHEMES:
        raise ValueError(text)
    found: dict[str, Any] = Env.db_url_config(text)
    options = {name.replace("-", "_"): value for name, value in found.get("OPTIONS", {}).items()}
    if authority := options.pop("ssl_ca", None):
        options["ssl"] = {"ca": authority}
    return {**found, "OPTIONS": options}


{% if db.image %}
def replicas(primary: dict[str, Any], text: str) -> dict[str, Any]:
    """Return Django's settings for the URLs of copies of a database, by alias; ValueError for others."""
    found = {f"replica{number}": database(word) for number, word in enumerate(words(text), 1)}
    for replica in found.values():
        if replica["ENGINE"] != primary["ENGINE"] or not replica["NAME"]:
            raise ValueError(text)
        # In tests, there is only the primary.
        replica["TEST"] = {"MIRROR": "default"}
    return found


{% endif %}
def mailer(name: str, default: str) -> dict[str, Any]:
    """Return the class that sends e-mail, as BACKEND, and its OPTIONS."""
    example = "smtp+tls://user:password@smtp.example.com:587"
    found = url(name, default, Env.email_url_config, example)
    if not found["EMAIL_HOST"]:
        return {"BACKEND": found["EMAIL_BACKEND"], "OPTIONS": {}}
    tls, ssl = found.get("EMAIL_USE_TLS", False), found.get("EMAIL_USE_SSL", False)
    options = {
        "host": found["EMAIL_HOST"],
        "port": found["EMAIL_PORT"] or (587 if tls else 465 if ssl else 25),
        "username": found["EMAIL_HOST_USER"],
        "password": found["EMAIL_HOST_PASSWORD"],
        "use_tls": tls,
        "use_ssl": ssl,
        # A visitor's request waits for it. Seconds.
        "timeout": 10,
    }
    return {"BACKEND": found["EMAIL_BACKEND"], "OPTIONS": options}
