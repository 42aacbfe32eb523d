"""Refuse answers that would give a project that does not work.

cookiecutter renders this file and runs the result in the project's folder, before it writes any file there;
it deletes a new folder if the exit status is not 0. cookiecutter itself has checked the questions with choices.
"""

import json
import keyword
import re
import reprlib
import sys
import zoneinfo
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

QUOTE = reprlib.Repr()
QUOTE.maxstring = QUOTE.maxother = 80

# Control characters, line breaks, halves of surrogate pairs: not for TOML, YAML or a comment.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
SLUG = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")
LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# The last label is not all digits: that would be an IP address.
DOMAIN = re.compile(rf"({LABEL}\.)+(?!\d+\Z){LABEL}")
ATOMS = re.compile(r"[a-z0-9_%+-]+(\.[a-z0-9_%+-]+)*")
FIXED_OFFSET = re.compile(r"(Etc/)?UTC|Etc/GMT(\+[1-9]|\+1[0-2]|-[1-9]|-1[0-4])?")
AREA_AND_CITY = re.compile(
    "(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)"
    "(/[A-Z][A-Za-z0-9_-]*){1,2}"
)
ZONE_FOLDERS = [*zoneinfo.TZPATH, *(f"{path}/tzdata/zoneinfo" for path in sys.path)]

# The answers and the catalogue. The JSON that Jinja writes contains no single quotes.
CONTEXT = dict(json.loads(r'{{ cookiecutter.items() | list | tojson }}'))  # fmt: skip
# Why a slug is taken -> the slugs. Pythons newer than this one know a few more names.
TAKEN: dict[str, set[str]] = {
    "is a Python keyword": {*keyword.kwlist, *keyword.softkwlist, "type"},
    "is a Python module": {*sys.stdlib_module_names, "annotationlib", "compression"},
    **{why: {*names.split()} for why, names in CONTEXT["_taken_names"].items()},
}
LANGUAGES = CONTEXT["_languages"].split()


def taken(slug: str) -> str:
    """Return why a well-formed slug cannot be used; empty if it can."""
    if slug.startswith("pg_"):
        return "starts with pg_, which PostgreSQL reserves for its own roles"
    return next((why for why, names in TAKEN.items() if slug in names), "")


# A check takes an answer and yields what is wrong with it, in words that follow the answer.
def check_line(value: str, limit: int = 200, optional: bool = False) -> Iterator[str]:
    """Check a line of text for people."""
    if not (value.strip() or optional):
        yield "is empty"
    elif value != value.strip():
        yield "starts or ends with a space"
    if UNPRINTABLE.search(value):
        yield "contains a line break or a control character"
    if len(value) > limit:
        yield f"has {len(value)} characters; at most {limit} are allowed"


check_description = partial(check_line, limit=500, optional=True)


def check_slug(value: str) -> Iterator[str]:
    """Check the name of the folder, the package, the database and its user, and (hence no __) the images."""
    if len(value) > 32:
        yield f"has {len(value)} characters; a MySQL user name may have at most 32"
    if not SLUG.fullmatch(value):
        yield "must be lowercase letters and digits with single underscores between them, starting with a letter"
    elif why := taken(value):
        yield why


def check_email(value: str) -> Iterator[str]:
    """Check an address without a name around it."""
    local, _, domain = value.lower().rpartition("@")
    valid = ATOMS.fullmatch(local) and DOMAIN.fullmatch(domain)
    if not valid or len(value) > 254 or len(local) > 64:
        yield "is not an e-mail address"


def check_domain(value: str) -> Iterator[str]:
    """Check a host name."""
    if not value.isascii():
        yield "is not ASCII; write the domain in punycode"
    elif value != "localhost" and not (DOMAIN.fullmatch(value) and len(value) <= 253):
        yield "is not a plain lowercase domain name, without scheme, port or path"


def check_language(value: str) -> Iterator[str]:
    """Check the code of one of Django's languages."""
    if value not in LANGUAGES:
        yield "is not a language code that Django knows"


def check_time_zone(value: str) -> Iterator[str]:
    """Check a time zone's name; only its form if the system has no time zone database."""
    known = value in zones if (zones := time_zones()) else AREA_AND_CITY.fullmatch(value)
    if not known and not FIXED_OFFSET.fullmatch(value):
        yield "is neither UTC nor a current Area/City name in the time zone database"


def time_zones() -> frozenset[str]:
    """Return the current names in the time zone database; none if there is no database.

    Old names, such as US/Pacific, have files but are not in the list: Debian 13, the image's base, lacks them.
    """
    files = filter(Path.exists, (Path(folder, "zone.tab") for folder in ZONE_FOLDERS))
    lines = file.read_text("utf-8").splitlines() if (file := next(files, None)) else []
    return frozenset(line.split("\t")[2].strip() for line in lines if line[0] != "#")


# A suggestion takes a bad answer and returns what may have been meant, which may be bad as well.
def suggest_line(value: str) -> str:
    """Return the line without line breaks, control characters and extra spaces."""
    return " ".join(UNPRINTABLE.sub(" ", value).split())


def suggest_slug(value: str) -> str:
    """Return a slug made of the value's letters and digits: site_2nd from 2nd, test_site from test."""
    slug = re.sub("^(?=[0-9])", "site_", "_".join(re.findall("[a-z0-9]+", value.lower())))
    return f"{slug[:27].rstrip('_')}_site" if taken(slug) else slug[:32].rstrip("_")


def suggest_domain(value: str) -> str:
    """Return the domain in a URL, in lowercase ASCII."""
    host = value.strip().lower().split("://", 1)[-1].split("/")[0].split(":")[0]
    try:
        return host.rstrip(".").replace("_", "-").encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def suggest_language(value: str) -> str:
    """Return the code in Django's spelling, or the language without its country: ko from ko_KR."""
    code = value.strip().lower().replace("_", "-")
    family = (known for known in LANGUAGES if known.split("-")[0] == code.split("-")[0])
    return code if code in LANGUAGES else min(family, default="")


def suggest_time_zone(value: str) -> str:
    """Return the time zone whose name is most like the value."""
    return next(iter(get_close_matches(value.title(), time_zones(), n=1, cutoff=0.8)), "")


# In the order in which they are asked: the check, the suggestion, and an answer that works.
Check = Callable[[str], Iterator[str]]
ANSWERS: dict[str, tuple[Check, Callable[[str], str], str]] = {
    "project_name": (check_line, suggest_line, "My Site"),
    "project_slug": (check_slug, suggest_slug, "my_site"),
    "description": (check_description, suggest_line, "A Django project."),
    "author_name": (check_line, suggest_line, "Site Author"),
    "author_email": (check_email, str, "author@example.com"),
    "domain_name": (check_domain, suggest_domain, "example.com"),
    "language_code": (check_language, suggest_language, "ko"),
    "time_zone": (check_time_zone, suggest_time_zone, "Asia/Seoul"),
}


def problems(answers: dict[str, Any]) -> list[str]:
    """Return a sentence for each thing wrong with the answers, with an answer that works."""
    found = []
    for name, (check, suggest, example) in ANSWERS.items():
        value = answers.get(name)
        if not isinstance(value, str):  # Such as an unquoted `no` in the user's own configuration.
            found.append(f"{name}: {QUOTE.repr(value)} is not text. For example: {example}")
            continue
        for problem in check(value):
            suggestion = suggest(value)
            works = suggestion if suggestion and not any(check(suggestion)) else example
            found.append(f"{name}: {QUOTE.repr(value)} {problem}. For example: {works}")
    return found


def refusals(answers: dict[str, Any], refused: dict[str, str]) -> list[str]:
    """Return a sentence for each refused combination: "database=sqlite, cache=redis" -> why."""
    given = {f"{name}={value}".lower() for name, value in answers.items()}
    return [f"{words}: {why}" for words, why in refused.items() if given >= {*words.split(", ")}]


if __name__ == "__main__":
    if found := problems(CONTEXT) + refusals(CONTEXT, CONTEXT["_refused"]):
        lines = "".join(f"  {line}\n" for line in found)
        sys.exit(f"\nNothing was generated. Please change:\n{lines}")
