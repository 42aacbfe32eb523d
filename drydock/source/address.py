"""The address of a template: what its name stands for, and how it is shown."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from drydock.errors import DrydockError
from drydock.secrets import is_secret_name

URL = re.compile(r"^([a-z][a-z0-9+.-]*://|[\w.-]+(:[^/\s]*)?@[\w.-]+:)", re.IGNORECASE)
# What may be an abbreviation such as gh:owner/name.
ABBREVIATED = re.compile(r"\w+:(?!//)")
# A URL in a text: up to a blank, or what encloses it.
IN_TEXT = re.compile(r"(?i)\b(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<rest>[^\s'\"<>]+)")
LOGIN_IN_PATH = re.compile(r"(?<=/)[^/:@]+:[^/]+@")
WITHOUT_SCHEME = re.compile(r"(?<![\w/@.-])(?P<user>[\w.-]+):(?P<password>[^\s/@]+)@(?=[\w.-]+:)")
PARAMETER = re.compile(r"(?P<sign>[?&;])(?P<name>[\w.-]+)=[^&;#\s'\"]*")
SECRET_PARAMETERS = re.compile(r"(?i)(key|sig|signature|auth|jwt|credential)$")
# Logins of these protocols are tokens as often as names.
ANONYMOUS = re.compile(r"(?i)^(git\+)?(https?|ftps?)$")


def expand(template: str, base: Path | None = None) -> str:
    """Return the URL or the absolute path that a template's name stands for.

    A relative path starts at `base`, or at the current folder.
    """
    if template.startswith("-"):
        raise DrydockError(f"{template}: is not a template: a name cannot start with a hyphen.")
    if ABBREVIATED.match(template):
        from cookiecutter.config import BUILTIN_ABBREVIATIONS  # Slow to import.

        prefix, _, rest = template.partition(":")
        if prefix in BUILTIN_ABBREVIATIONS:
            return str(BUILTIN_ABBREVIATIONS[prefix].format(rest))
    template = template.removeprefix("git+")
    if URL.match(template):
        return template
    try:
        return str(Path(base or ".", Path(template).expanduser()).resolve())
    except (OSError, RuntimeError, ValueError) as error:
        raise DrydockError(f"{template}: is not a path: {error}.") from None


def is_archive(place: str) -> bool:
    """Tell whether a URL or a path is that of a zip file."""
    return (urlsplit(place).path if "://" in place else place).lower().endswith(".zip")


def without_credentials(text: str) -> str:
    """Return a text without the user names, passwords and tokens in its URLs.

    ssh needs a login, so it keeps its user name.
    """

    def url(match: re.Match[str]) -> str:
        scheme, rest = match["scheme"], match["rest"]
        login, rest = split_login(rest)
        if login and not ANONYMOUS.match(scheme):
            rest = f"{login.partition(':')[0]}@{rest}"
        return f"{scheme}://{without_parameters(LOGIN_IN_PATH.sub('', rest))}"

    return WITHOUT_SCHEME.sub(r"\g<user>@", IN_TEXT.sub(url, text))


def split_login(rest: str) -> tuple[str, str]:
    """Split what follows a URL's scheme into its login and the rest, which starts with the host."""
    authority, _, path = rest.partition("/")
    name, colon, port = authority.partition(":")
    if "@" in authority:
        login = authority.rpartition("@")[0]
    elif name and colon and not port.isdigit() and "@" in path:
        login = rest.rpartition("@")[0]  # A password with a slash in it, which belongs encoded.
    else:
        return "", rest
    return login, rest[len(login) + 1 :]


def without_parameters(url: str) -> str:
    """Return a URL without the parameters that are secret."""

    def parameter(match: re.Match[str]) -> str:
        name = match["name"]
        secret = is_secret_name(name) or SECRET_PARAMETERS.search(name)
        return "" if secret and match["sign"] != "?" else "?" if secret else match[0]

    shorter = PARAMETER.sub(parameter, url)
    return re.sub(r"\?(?=#|$)", "", re.sub(r"\?[&;]", "?", shorter)) if shorter != url else url


def hidden(text: str, url: str) -> str:
    """Return what a program said of a URL, without the URL's credentials, in whatever form it repeats them."""
    text = without_credentials(text.replace(url, without_credentials(url)))
    for secret in passwords(url):
        text = text.replace(secret, "***")
    return text


def passwords(url: str) -> list[str]:
    """Return the passwords and tokens of a URL that are long enough to be told from other words."""
    match = IN_TEXT.search(url) or WITHOUT_SCHEME.search(url)
    if match is None:
        return []
    found = match.groupdict()
    login = split_login(found["rest"])[0] if "rest" in found else f":{found['password']}"
    values = [login.partition(":")[2]]
    values += [
        match[0].partition("=")[2]
        for match in PARAMETER.finditer(url)
        if not without_parameters(f"x{match[0]}").endswith(match[0])
    ]
    return [value for value in values if len(value) > 3]
