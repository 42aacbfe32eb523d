"""The settings of calls between services. config/settings.py imports them."""

import re

from django.core.exceptions import ImproperlyConfigured

from config.environment import setting, words


def urls(name: str) -> dict[str, str]:
    """Return the base URLs of other services, by their names. An error does not show them."""
    found: dict[str, str] = {}
    for word in words(setting(name, "")):
        service, _, url = word.partition("=")
        if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", service):
            problem = "names a service with other letters than a-z, digits and hyphens"
        elif service in found:
            problem = f"names {service} twice"
        elif not re.fullmatch(r"https?://[\w.-]+(:[0-9]+)?(/[^?#@]*)?", url):
            problem = f"has no base URL for {service}"
        else:
            found[service] = url
            continue
        example = f"{name}=billing=http://billing:8080"
        raise ImproperlyConfigured(f"{name} {problem}. For example: {example}")
    return found


def keys(name: str, default: str | None) -> list[str]:
    """Return private keys: the one that signs, and others that are only published."""
    fallbacks = f"{name}_FALLBACKS"
    found = {name: [setting(name, default)], fallbacks: words(setting(fallbacks, ""))}
    for variable, values in found.items():
        if not all(re.fullmatch("[0-9a-f]{64}", value) for value in values):
            raise ImproperlyConfigured(
                f"{variable} is not 64 hexadecimal digits. `openssl rand -hex 32` makes a key"
            )
    return [*found[name], *found[fallbacks]]
