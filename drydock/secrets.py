"""What counts as secret: one notion, applied to every text that leaves the program.

The words of a name tell: a value named DB_PASS or apiToken is secret, `max_tokens` and `tokenizer` are
not. Well-known forms of credentials count, too, whatever they are called.
"""

import re
from collections.abc import Iterable, Iterator

# The last word of names whose values are secret. It may be written together with others, as in PGPASSWORD.
WORD = re.compile(
    r"\w*(?:(?:password|passwd|passphrase|passcode)s?|pass|pwd|secret|token|credentials?|masterauth"
    r"|(?:api|auth|encryption|private|secret|signing)key)|pw"
)
# Too short, or too ordinary, to tell by themselves: HASH_SALT and STRIPE_SK, but no language such as LOCALE_SK.
AFTER_ANOTHER = {"salt", "sk"}
LANGUAGE = {"lang", "language", "locale", "country", "name", "title", "label", "text", "from", "to"}
ORDINARY = {"bypass", "compass", "encompass", "surpass", "trespass", "overpass", "underpass", "lowpass", "highpass", "bandpass", "nopasswd"}  # fmt: skip
# What may follow it: which of several secrets it is.
WHICH = {
    "base", "fallback", "fallbacks", "old", "new", "previous", "current", "prod", "production", "staging", "dev",
    "development", "test", "local", "live", "root", "admin", "v",
}  # fmt: skip
HARMLESS_KEYS = {"public", "primary", "foreign", "cache", "sort", "host", "group", "partition", "natural"}  # fmt: skip
# Below a secret, these say something about it, as in `db_password: {file: x}`.
ABOUT = {
    "description", "driver", "enabled", "environment", "expiry", "external", "file", "format", "from", "gid", "help",
    "labels", "length", "lifetime", "max", "min", "mode", "name", "optional", "path", "policy", "provider", "ref",
    "required", "sensitive", "source", "style", "target", "timeout", "title", "ttl", "type", "uid", "uri", "url",
    "validators", "version",
}  # fmt: skip
SENTENCE = 6
# What stands in the place of a value: a variable, a command, or what somebody is to fill in. A variable's name has no
# digits among letters of both kinds, as random values have.
VARIABLE = r"(?>[A-Z_]+(?!\w)|[a-z_]+(?!\w)|[A-Za-z]+(?!\w)|(?=\w*_)(?:[A-Z0-9_]+|[a-z0-9_]+)(?!\w)|\d(?!\w))"
EXPANDED = r"\{[#!]?[\w.]+(?::?\?[^}]*|:?[-=+](?:\$\{?\w+\}?)?|(?:[#%/^,@]|:\s*-?\d)[^}]*)?(?:\}|$)"
COMMAND = r"\(\s*[\w./<$\"-]+(?:[\s)].*|$)"
FORMATTED = rf"\{{{VARIABLE}[^{{}}]*\}}"
PLACEHOLDER = (
    rf"\$\$?(?:{VARIABLE}|{EXPANDED}|{COMMAND})|`[^`]*`|\$?\{{\{{.*|\{{%.*|{FORMATTED}"
    r"|<[^<>]*>|<%.*|%\([\w.]+\)s|%s|%\w+%"
)
# What is not itself a secret: a reference to one, code that reads one, or a type.
REFERENCE = re.compile(
    rf"""["']?(?:Bearer\s+|Basic\s+)?(?:(?>{PLACEHOLDER})(?:/[\w./:@;-]*|[:@.;_-][:/@.;_-]*)?)+["']?(?:[\s,)\]}}&].*)?$"""
    # The end of code in a text, a path, a regular expression, a comprehension, and an opening bracket.
    r"""|`(?:[\s,.;:)].*)?$|["']?(?:/[a-z][a-z_.-]*){2,}["']?\s*[,;)]?$|["']?\((?:\?|\\[wdsS]|\.[*+]|\[)"""
    r"""|[(\[{][\w.]+ for \w"""
    r"""|(?i:["']?(?:env[.(\[]|os\.|self\.|settings\.|config\.))"""
    r"""|["']?(?i:None|null|true|false|read|write)["']?\s*(?:[,;)\]}#].*)?$"""
    r"""|[(\[{][\s)\]}]*[,;]?\s*(?:#.*)?$|\(\d+ keys\)$"""
    # A call ends on its line, or goes on after what may not end one.
    r"""|(?:\w+\.)*\w+\((?:.*\).*|.*[(\[{,]\s*)?$"""
    r"""|(?:str|int|bytes|bool|object|Any|Secret|SecretStr|Optional\[.*|\w+ \| None)\s*(?:[,)=].*)?$"""
)
# Django's get_random_secret_key makes such keys; some begin like a reference or a call.
RANDOM = re.compile(r"(?=.*[!@#%^&*])[\w!@#$%^&*()=+-]{32,}")
DEFAULT = re.compile(r"""(\bdefault\s*[=:(]\s*|\bor\s+|,\s*)(["'])(?:(?!\2).)+\2""")
LONGEST = 4096
VALUE = r"""(?P<value>(?:\w+\.)*\w+\(.{0,4095}|"(?:\\.|[^"\\]){0,4096}"?|'[^']{0,4096}'?|[^\s,;"'][^\n,;]{0,4095}|.{1,4096})"""
# Not the name of a variable in `${NAME:-x}` and `{{ name }}`, whose signs mean something else.
NAMED = re.compile(rf"""(?<!\w)(?<!\$\{{)(?<!\{{\{{)(?!(?<=\{{)\w+\.)(?P<name>[A-Za-z_][\w.-]{{0,127}})(?P<sign>["']?\s?(?::\s?[\w\[\]| .]{{1,40}}\s?=|[:=])\s*){VALUE}""")  # fmt: skip
MAPPING = re.compile(r"""\{\s*["']?[\w.-]+["']?\s*[:=]""")
# What comes before a name that has its line for itself.
START = re.compile(r"[\s-]*(?:export\s+)?[\"']?")
# Names whose value stands in another place than behind a sign. Separated by a space: Docker's ENV and ARG, nginx's
# `set` and headers, an option of a command, and netrc.
QUOTED = r"""(?:"(?:\\.|[^"\\])*"?|'[^']*'?)"""
BLANK = re.compile(
    r"""(?P<lead>^\s*(?:ENV|ARG)\s+|\bset\s+\$|\b\w+_(?:set_header|header|param)\s+["']?|(?<!\S)--?|\b(?:machine|login)\b.*\s|^\s*(?=\w+\s+\S+\s*$))"""
    rf"""(?P<name>[A-Za-z_][\w-]{{0,127}})(?P<sign>["']?\s+)(?P<value>{QUOTED}|[^\s=:;|&-][^\s;]*)"""
)
ELSEWHERE = [
    BLANK,
    re.compile(
        r"""(?P<lead><)(?P<name>[\w.:-]{1,128})(?P<sign>(?:\s[^<>]*)?>)(?P<value>[^<>]+)(?=</)"""
    ),
    # A call such as `os.environ.setdefault('NAME', 'value')`.
    re.compile(
        r"""(?P<lead>\b(?:\w*(?:get|set|env)\w*|config|default)\(\s*["'])(?P<name>[\w.-]{1,128})(?P<sign>["'],\s*)(?P<value>"[^"]*"|'[^']*')"""
    ),
    # The name and the value of a pair.
    re.compile(
        rf"""(?P<lead>\b(?:name|key)["']?\s*[:=]\s*["']?)(?P<name>[\w.-]{{1,128}})(?P<sign>["']?,?\s+["']?(?:value|default)["']?\s*[:=]\s*)(?P<value>{QUOTED}|[^\s,}}/>]+)"""
    ),
    re.compile(r"""(?P<lead>\$\{)(?P<name>\w{1,128})(?P<sign>:?[-=])(?P<value>(?!\$)[^}\s]+)"""),
]
# Commands with an option for a password.
OPTION = re.compile(
    r"""(\bsshpass\s+-p\s*|\b(?:mysql|mariadb)[\w-]{0,20}\s(?:[^|;&]{0,500}\s)?-p(?=[^\s`-])|\bredis-cli\s(?:[^|;&]{0,500}\s)?-a\s+"""
    r"""|\bcurl\s(?:[^|;&]{0,500}\s)?(?:-u|--user)[\s=]*["']?[^\s:"']+:)(?P<value>"[^"]*"|'[^']*'|[^\s"'`]+)"""
)
AUTHORIZATION = re.compile(
    r"""(\bAuthorization["']?[\s:=,]+["']?(?:Bearer|Basic|Token)\s+)(?P<value>[^\s"';]+)""", re.I
)
# A port is no password. One with a slash or a dollar sign is not told from a regular expression if it has brackets, too.
CREDENTIALS = re.compile(
    r"""(://)(?:\$\{[^}\s]*\}|[^\s/@:"']){0,128}:(?!\d{1,5}[/?#])(?P<value>[^\s/$"']{1,256}|(?:(?!://)[^\s"'()\[\]|\\*^]){1,256})@(?=[^\s@/]+)"""
)
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
    r"pass|pwd|pw(?![a-z])|secret|token|credential|key|auth(?![a-z])|authorization|salt|_sk|://|bearer|basic|gh[opsu]_|glpat|akia"
    r"|_live_|xox|aiza|eyj|sg\.|slack|webhooks|sig|curl\s|mysql|mariadb|redis-cli",
    re.I,
)
PRIVATE_KEY = "PRIVATE KEY-----"
# Answers to questions for secrets, which a file may have under any name. Shorter ones would be found in other words.
SHORTEST = 6
answers: set[str] = set()


def hide(values: Iterable[object]) -> None:
    """Mask these answers from now on, wherever they are, and no others."""
    texts = {value for value in values if isinstance(value, str)}
    answers.clear()
    answers.update(text for text in texts if len(text) >= SHORTEST and not is_secret_name(text))


def without_answers(text: str) -> str:
    """Return a text without the answers that are secret."""
    for answer in sorted(answers, key=len, reverse=True):
        text = text.replace(answer, "***")
    return text


PAIR = re.compile(r"""^[\s-]*["']?(?:name|key)["']?\s*[:=]\s*["']?(?P<name>[\w.-]+)["']?,?\s*$""")
PAIRED = re.compile(r"""^(?P<lead>[\s-]*["']?(?:value|default)["']?\s*[:=]\s*)(?P<value>.+)$""")
ENTRY = re.compile(
    r"""^(?P<lead>[\s-]*(?:\?\s*)?["']?(?P<name>[^\s"':=](?:[^"':=]*[^\s"':=])?)["']?\s*(?:[:=](?=\s|$|["'\[{(])|=)\s*)(?P<value>.*)$"""
)
# What is below such a line belongs to its name: a YAML key, a bracket, or Terraform's block.
OPEN = re.compile(
    r"""^(?P<lead>[\s-]*)(?:["']?(?P<name>[\w.-]+)["']?\s*[:=]\s*(?:(?P<text>[>|][-+\d]*|\"{3}|'{3})|\\|[(\[{])?"""
    r"""|\w+\s+(?:"[\w-]+"\s+)?"(?P<block>[\w.-]+)"\s*\{)\s*(?:#.*)?$"""
)
TABLE = re.compile(r"^\s*\[{1,2}\s*(?P<name>[\w.\"' -]+?)\s*\]{1,2}\s*(?:[#;].*)?$")


def words(name: str) -> list[str]:
    """Return the words of a name, in lower case."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return [word.lower() for word in parts]


def is_secret_name(name: str) -> bool:
    """Tell whether a name says that its value is secret."""
    lower = words(name)
    while lower and lower[-1] in WHICH:
        lower.pop()
    match lower:
        case [*_, before, "key"]:
            return before not in HARMLESS_KEYS
        case [*_, "redis" | "rediscli", "auth"]:
            return True
        case [*_, before, last] if last in AFTER_ANOTHER:
            return name.isupper() and before not in LANGUAGE
        case ["salt"]:
            return name == "SALT"
        case [*_, last]:
            return last not in ORDINARY and bool(WORD.fullmatch(last))
    return False


def holds_secrets(name: str) -> bool:
    """Tell whether a name says that the values below it are secret."""
    return is_secret_name(name) or words(name)[-1:] == ["secrets"]


def is_about(name: str, value: str) -> bool:
    """Tell whether a name and a value below the name of a secret are none: they say what it is, or it is a sentence."""
    return bool(ABOUT & {*words(name)[-1:]}) or len(value.split()) > SENTENCE


def is_harmless(value: str) -> bool:
    """Tell whether a value gives nothing away, whatever its name."""
    plain = value.strip(" \t\"',;[]")
    if RANDOM.fullmatch(plain):
        return False
    # A digit is a switch, and the name of a secret in capitals is that of a variable.
    switch = plain in ("", *"0123456789") or (
        plain.isupper() and "_" in plain and is_secret_name(plain)
    )
    return switch or bool(REFERENCE.match(value.strip()))


def is_secret(key: str, value: str) -> bool:
    """Tell whether the value of a key path is secret: by its last key, those above it, or the name of its item."""
    if is_harmless(value):
        return False
    # An item of a list without names belongs to the list's key.
    listed = re.sub(r"(\[\d*\])+$", "", key)
    last, *above = re.split(r"[.\[]", re.sub(r"\[[^\[\]]*\]", "", listed))[::-1]
    if last in ("value", "default") and (item := re.search(r"\[([^\[\]]+)\]\.\w+$", listed)):
        return is_secret_name(item[1])
    if is_secret_name(last):
        return True
    for name in () if listed != key or is_about(last, value) else above:
        if is_about(name, ""):
            break
        if holds_secrets(name):
            return True
    return False


def without_named(line: str, *, below: bool = False) -> str:
    """Return a line without the values whose names say that they are secret, or what they are below of."""
    parts, place = [], 0
    while match := NAMED.search(line, place):
        name, value = match["name"], match["value"]
        parts.append(line[place : match.start("value")])
        # What follows the sign may have a name of its own.
        place = match.start("value")
        if MAPPING.match(value):
            below |= holds_secrets(name)
            continue
        if not (is_secret_name(name) or (below and not is_about(name, value))):
            continue
        if is_harmless(value):
            shown = DEFAULT.sub(r"\1\2***\2", value)
            if shown != value:
                parts.append(shown)
                place = match.end()
        else:
            parts.append("***")
            place = match.end()
            # A value longer than any secret is masked as a whole, and so is what may have a comma or a semicolon in it.
            alone = START.fullmatch(line, 0, match.start()) and value[0] not in "\"'"
            place = len(line) if alone or len(value) >= LONGEST else place
    return "".join([*parts, line[place:]])


def masked(line: str) -> str:
    """Return a line with *** in place of its secrets."""

    def named(match: re.Match[str]) -> str:
        name = match["name"].rpartition(":")[2]
        secret = is_secret_name(name) and not is_harmless(match["value"])
        return f"{match['lead']}{match['name']}{match['sign']}***" if secret else match[0]

    def known(match: re.Match[str]) -> str:
        return match[0] if is_harmless(match["value"]) else f"{match[1]}***"

    def credentials(match: re.Match[str]) -> str:
        known = re.fullmatch(PLACEHOLDER, match["value"])
        return match[0] if known else f"{match[1]}***@"

    line = without_answers(line)
    if not HINT.search(line):
        return line
    line = AUTHORIZATION.sub(known, TOKEN.sub("***", BEARER.sub(r"\1 ***", line)))
    line = QUERY.sub(r"\1***", HOOK.sub(r"\1/***", KEY_IN_URL.sub(r"\1***@", line)))
    line = OPTION.sub(known, CREDENTIALS.sub(credentials, line))
    line = without_named(line)
    for pattern in ELSEWHERE:
        line = pattern.sub(named, line)
    return line


def masked_lines(lines: list[str]) -> Iterator[str]:
    """Yield lines without their secrets, including those named by the lines around them."""
    masker = Masker()
    for line, following in zip(lines, [*lines, ""][1:], strict=True):
        body = line.rstrip("\r\n")
        yield masker.masked(body, following.rstrip("\r\n")) + line[len(body) :]


class Masker:
    """Masks the lines of a text one after the other, and knows what they are below of."""

    def __init__(self) -> None:
        # The name of a pair whose value is to come, and whether the table, or the private key, is secret.
        self.name = ""
        self.table = self.key = False
        # The indents of the secret names that the line is below of, and whether all below is one text.
        self.open: list[tuple[int, str]] = []

    def masked(self, line: str, following: str) -> str:
        """Return a line without its secrets."""
        if self.key or PRIVATE_KEY in line:
            self.key = "-----END" not in line
            return "***"
        shown = self.shown(line, following)
        self.note(line)
        return without_answers(shown)

    def shown(self, line: str, following: str) -> str:
        """Return a line without its secrets, which does not hold a private key."""
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            return line
        while self.open:
            start, kind = self.open[-1]
            if kind in ('"""', "'" * 3):
                if kind in line:
                    self.open.pop()
                return line if line.strip() == kind else "***"
            item = kind == "" and indent == start and line.lstrip().startswith("- ")
            if indent > start or item:
                break
            self.open.pop()
        paired = PAIRED.match(line)
        # The name of a pair may come before its value, or after it; a dash begins another pair.
        name = "" if line.lstrip().startswith("- ") else self.name
        after = (
            PAIR.match(following) if paired and not following.lstrip().startswith("- ") else None
        )
        if after and is_secret_name(after["name"]):
            name = after["name"]
        if paired and name and not is_harmless(paired["value"]):
            return f"{paired['lead']}***"
        if not (self.open or self.table) or PAIR.match(line):
            return masked(line)
        entry = ENTRY.match(line)
        kind = self.open[-1][1] if self.open else ""
        if entry and kind != "text":
            about = is_about(entry["name"], entry["value"])
            if not about and MAPPING.match(entry["value"]):
                return without_named(masked(line), below=True)
            if about or is_harmless(entry["value"]) or OPEN.match(line):
                return masked(line)
            return f"{entry['lead']}***"
        if is_harmless(line) or not re.search(r"\w", line) or kind == "names" or not self.open:
            return masked(line)
        return re.sub(r"(?s)^([\s-]*).*", r"\1***", line)

    def note(self, line: str) -> None:
        """Remember what a line says of those after it."""
        if pair := PAIR.match(line):
            self.name = pair["name"] if is_secret_name(pair["name"]) else ""
        elif not PAIRED.match(line) or not line.strip():
            self.name = ""
        if table := TABLE.match(line):
            self.table = holds_secrets(table["name"].rpartition(".")[2])
        match = OPEN.match(line)
        if not match or (self.open and self.open[-1][1] == "text"):
            return
        name, text = match["name"] or match["block"], match["text"] or ""
        if not (holds_secrets(name) or (text and self.open and not is_about(name, ""))):
            return
        kind = text if text in ('"""', "'" * 3) else "text" if text else ""
        # The items of a list of secrets are often only their names.
        self.open.append((len(match["lead"]), kind or ("" if is_secret_name(name) else "names")))


def masked_text(text: str) -> str:
    """Return a text of any number of lines without its secrets."""
    return (
        "".join(masked_lines(text.splitlines(keepends=True)))
        if HINT.search(text)
        else without_answers(text)
    )


def masked_value(key: str, value: str) -> str:
    """Return the value of a key path, which is not secret as a whole, without its secrets."""
    # In some formats, the key is a command, and the value has a name of its own.
    lead = re.split(r"[.\[]", re.sub(r"(\[[^\[\]]*\])+$", "", key))[-1] + " "
    shown = masked_text(lead + value)
    return shown.removeprefix(lead) if shown.startswith(lead) else masked_text(value)
