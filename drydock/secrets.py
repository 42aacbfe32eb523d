"""What counts as secret: one notion, applied to every text that leaves the program.

The words of a name tell: a value named DB_PASS or apiToken is secret, `max_tokens` and `tokenizer` are
not. Well-known forms of credentials count, too, whatever they are called.
"""

import re
from collections.abc import Iterator

# The last word of names whose values are secret. It may be written together with others, as in PGPASSWORD.
WORD = re.compile(
    r"\w*(?:(?:password|passwd|passphrase)s?|pass|pwd|secret|token|credentials?|masterauth"
    r"|(?:api|auth|encryption|private|secret|signing)key)"
)
ORDINARY = {"bypass", "compass", "encompass", "surpass", "trespass", "overpass", "underpass", "lowpass", "highpass", "bandpass", "nopasswd"}  # fmt: skip
# What may follow it: which of several secrets it is.
WHICH = {
    "base", "fallback", "fallbacks", "old", "new", "previous", "current", "prod", "production", "staging", "dev",
    "development", "test", "local", "live", "root", "admin",
}  # fmt: skip
HARMLESS_KEYS = {"public", "primary", "foreign", "cache", "sort", "host", "group", "partition", "natural"}  # fmt: skip
# What is not itself a secret: a reference to one, code that reads one, or a type.
REFERENCE = re.compile(
    r"""["']?(?:\$(?!\w+\$)|\{\{|<|%\(|env[.(\[]|os\.|self\.|settings\.|config\.|None\b|null\b|true\b|false\b|\[|\{|\()"""
    r"""|(?:\w+\.)*\w+\(|(?:str|int|bytes|bool|object|Any|Secret|SecretStr|Optional\[.*|\w+ \| None)\s*(?:[,)=].*)?$"""
    r"""|["']?(?:read|write|none|%s)["']?\s*$""",
    re.I,
)
# Django's get_random_secret_key makes such keys; some begin like a reference or a call.
RANDOM = re.compile(r"(?=.*[!@#%^&*])[\w!@#$%^&*()=+-]{32,}")
DEFAULT = re.compile(r"""(\bdefault\s*[=:]\s*|\bor\s+|,\s*)(["'])(?:(?!\2).)+\2""")
LONGEST = 4096
VALUE = r"""(?P<value>(?:\w+\.)*\w+\(.{0,4095}|"(?:\\.|[^"\\]){0,4096}"?|'[^']{0,4096}'?|[^\s,;"'][^\n,;]{0,4095}|.{1,4096})"""
NAMED = re.compile(rf"""(?<![\w{{])(?P<name>[A-Za-z_][\w.-]{{0,127}})(?P<sign>["']?\s?(?::\s?[\w\[\]| .]{{1,40}}\s?=|[:=])\s*){VALUE}""")  # fmt: skip
# What comes before a name that has its line for itself.
START = re.compile(r"[\s-]*(?:export\s+)?[\"']?")
# Separated by a space: Docker's ENV and ARG, nginx's `set`, an option of a command, and netrc.
BLANK = re.compile(
    r"""(?P<lead>^\s*(?:ENV|ARG)\s+|\bset\s+\$|(?<!\S)--?|\b(?:machine|login)\b.*\s|^\s*(?=\w+\s+\S+\s*$))"""
    r"""(?P<name>[A-Za-z_][\w-]{0,127})(?P<sign>\s+)(?P<value>[^\s=:;|&-][^\s;]*)"""
)
CREDENTIALS = re.compile(r"(://)[^\s/@:$]{0,128}:[^\s/$]{1,256}@(?=[^\s@/]+)")
TOKEN = re.compile(
    r"(?<!\w)(?:gh[opsu]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|AKIA[0-9A-Z]{16}|[sr]k_live_\w{10,}"
    r"|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+|SG\.[\w-]{20,}\.[\w-]{20,}"
    r"|-----BEGIN[ A-Z]{0,40} PRIVATE KEY-----[\s\S]*)"
)
# Sentry's key is in the place of a user name; the last parts of a Slack or Discord webhook are secret.
KEY_IN_URL = re.compile(r"(://)[0-9a-fA-F]{16,}@")
HOOK = re.compile(r"(hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks)/[\w/-]+")
QUERY = re.compile(
    r"([?&](?:[\w-]*token|[\w-]*key|password|secret|signature|sig)=)[^\s&\"'#]+", re.I
)
BEARER = re.compile(r"\b(Bearer|Basic)\s+(?![$<{])[\w.~+/=-]{8,}")
# A line without any of these has no secret. Most lines have none, and this check is faster.
HINT = re.compile(
    r"pass|pwd|secret|token|credential|key|auth(?![a-z])|://|bearer|basic|gh[opsu]_|glpat|akia|_live_|xox|aiza|eyj|sg\.|slack|webhooks|sig",
    re.I,
)
PRIVATE_KEY = "PRIVATE KEY-----"
PAIR = re.compile(r"""^[\s-]*["']?(?:name|key)["']?\s*[:=]\s*["']?(?P<name>[\w.-]+)["']?,?\s*$""")
PAIRED = re.compile(r"""^(?P<lead>[\s-]*["']?(?:value|default)["']?\s*[:=]\s*)(?P<value>.+)$""")
OPEN = re.compile(r"""^[\s-]*["']?(?P<name>[\w.-]+)["']?\s*[:=]\s*(?:[>|][+-]?|\\|\()?\s*$""")


def is_secret_name(name: str) -> bool:
    """Tell whether a name says that its value is secret."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    lower = [word.lower() for word in parts]
    while lower and lower[-1] in WHICH:
        lower.pop()
    match lower:
        case [*_, before, "key"]:
            return before not in HARMLESS_KEYS
        case [*_, "redis" | "rediscli", "auth"]:
            return True
        case [*_, last]:
            return last not in ORDINARY and bool(WORD.fullmatch(last))
    return False


def is_harmless(value: str) -> bool:
    """Tell whether a value gives nothing away, whatever its name."""
    plain = value.strip().strip("\"',;")
    if RANDOM.fullmatch(plain):
        return False
    return not plain or plain.isdigit() or bool(REFERENCE.match(value.strip()))


def is_secret(key: str, value: str) -> bool:
    """Tell whether the value of a key path is secret: by its last key, or by the name of the item it belongs to."""
    # An item of a list without names belongs to the list's key.
    key = re.sub(r"(\[\d*\])+$", "", key)
    last = re.split(r"[.\[]", key.rstrip("]"))[-1]
    if last in ("value", "default") and (item := re.search(r"\[([^\[\]]+)\]\.\w+$", key)):
        last = item[1]
    return is_secret_name(last) and not is_harmless(value)


def without_named(line: str) -> str:
    """Return a line without the values whose names say that they are secret."""
    parts, place = [], 0
    while match := NAMED.search(line, place):
        parts.append(line[place : match.start("value")])
        # What follows the sign may have a name of its own.
        place = match.start("value")
        if not is_secret_name(match["name"]):
            continue
        place = match.end()
        if is_harmless(match["value"]):
            parts.append(DEFAULT.sub(r"\1\2***\2", match["value"]))
        else:
            parts.append("***")
            # A value longer than any secret is masked as a whole, and so is what may have a comma or a semicolon in it.
            alone = START.fullmatch(line, 0, match.start()) and match["value"][0] not in "\"'"
            place = len(line) if alone or len(match["value"]) >= LONGEST else place
    return "".join([*parts, line[place:]])


def masked(line: str) -> str:
    """Return a line with *** in place of its secrets."""

    def spaced(match: re.Match[str]) -> str:
        secret = is_secret_name(match["name"]) and not is_harmless(match["value"])
        return f"{match['lead']}{match['name']}{match['sign']}***" if secret else match[0]

    if not HINT.search(line):
        return line
    line = TOKEN.sub("***", BEARER.sub(r"\1 ***", line))
    line = QUERY.sub(r"\1***", HOOK.sub(r"\1/***", KEY_IN_URL.sub(r"\1***@", line)))
    line = CREDENTIALS.sub(r"\1***@", line)
    return BLANK.sub(spaced, without_named(line))


def masked_lines(lines: list[str]) -> Iterator[str]:
    """Yield lines without their secrets, including those named by the line before."""
    name, key = "", False
    for line in lines:
        body = line.rstrip("\r\n")
        end = line[len(body) :]
        shown = masked(body)
        paired = PAIRED.match(body)
        if key or PRIVATE_KEY in body:
            key = "-----END" not in body
            shown = "***"
        elif name and paired and not is_harmless(paired["value"]):
            shown = f"{paired['lead']}***"
        elif (
            name and not paired and body.strip() and not is_harmless(body) and not PAIR.match(body)
        ):
            indent = body[: len(body) - len(body.lstrip())]
            shown = f"{indent}***" if not re.match(r"\s*[\w.-]+\s*[:=]", body) else shown
        if name and re.match(r"\s*- (?!\s*[\w.-]+\s*[:=])", body):
            # The list may go on.
            yield shown + end
            continue
        following = PAIR.match(body) or OPEN.match(body)
        name = following["name"] if following and is_secret_name(following["name"]) else ""
        yield shown + end


def masked_text(text: str) -> str:
    """Return a text of any number of lines without its secrets."""
    return "".join(masked_lines(text.splitlines(keepends=True))) if HINT.search(text) else text
