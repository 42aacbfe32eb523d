"""Take values that look secret out of lines that are shown."""

import re

# What is taken from the right side of `NAME = value` and `name: value`, for names like these.
NAMED = re.compile(
    r"""(?ix) (?<! [\w{] ) ( [\w.-]{0,64} (?: passw(?:or)?d | secret | token | credential | api[_-]?key | private[_-]?key
        | access[_-]?key ) [\w.-]{0,64} ["']? \s? [:=] \s{0,3} ) (?! \s* $ ) ( .+ )"""
)
# References to a value that stands elsewhere, and code that reads it.
REFERENCE = re.compile(r"""["']?(\$|\{\{|<|env[.(]|os\.|None|null|true|false|\[|\{|\()""", re.I)
CREDENTIALS = re.compile(r"(://)[^\s/@:$]{0,128}:[^\s/@$]{1,256}@")
TOKEN = re.compile(
    r"(?<!\w)(gh[opsu]_\w{20,}|github_pat_\w{20,}|AKIA[0-9A-Z]{16}|[sr]k_live_\w{10,}|xox[abp]-[\w-]{10,}"
    r"|-----BEGIN[ A-Z]{0,40} PRIVATE KEY-----[\s\S]*|AIza[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
)


PRIVATE_KEY = "PRIVATE KEY-----"


def masked(line: str) -> str:
    """Return a line without the secrets in it: *** in their place."""

    def named(match: re.Match[str]) -> str:
        return match[0] if REFERENCE.match(match[2]) else f"{match[1]}***"

    return TOKEN.sub("***", CREDENTIALS.sub(r"\1***@", NAMED.sub(named, line)))


NAME = re.compile(
    r"(?i)(passw(or)?d|secret|token|credential|api[_-]?key|private[_-]?key|access[_-]?key|[a-z]_key$)"
)


def is_secret(key: str, value: str) -> bool:
    """Tell whether a value is one that the name of its key calls secret."""
    last = re.split(r"[.\[]", key)[-1]
    plain = value.strip("\"'")
    harmless = not plain or REFERENCE.match(value) or plain.isdigit()
    return bool(NAME.search(last)) and not harmless
