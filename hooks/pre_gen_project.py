"""Refuse answers that would give a project that does not work; write what cannot be rendered.

cookiecutter renders this file and runs the result in the directory of the project, before it writes
any file there; it deletes a new directory when the exit status is not 0. So nothing here may look
like Jinja but the answers, in main(). Of the choices (the database and so on), cookiecutter offers no others than
those of cookiecutter.json; those that do not go together are listed there, in _refused.

That is .env, and .cruft.json, the record of the generation.

A hook is a process of its own, and half of what Python then does is import: hence one hook only, and
neither re nor json.
"""

import keyword
import os
import reprlib
import sys
from collections.abc import Callable, Iterator

QUOTE = reprlib.Repr()
QUOTE.maxstring = QUOTE.maxother = 80

# Control characters, line breaks, halves of surrogate pairs: not for TOML, YAML or a comment.
UNPRINTABLE = frozenset(map(chr, [
    *range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF,
]))  # fmt: skip

SMALL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")

AREAS = frozenset({
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe",
    "Indian", "Pacific",
})  # fmt: skip
FIXED_OFFSETS = frozenset({
    "UTC", "Etc/UTC", "Etc/GMT",
    *(f"Etc/GMT+{hours}" for hours in range(1, 13)), *(f"Etc/GMT-{hours}" for hours in range(1, 15)),
})  # fmt: skip
# The others are those of Python's tzdata package, for systems without a database of their own.
ZONE_FOLDERS = ["/usr/share/zoneinfo", *(f"{path}/tzdata/zoneinfo" for path in sys.path)]

# fmt: off
# What is said of a slug -> the slugs it is said of. A newer Python may run the project than runs
# this hook, hence the two modules of 3.14 and the soft keyword of 3.12.
TAKEN: dict[str, frozenset[str]] = {
    "is a keyword of Python": frozenset({*keyword.kwlist, *keyword.softkwlist, "type"}),
    "is a module of Python's standard library":
        sys.stdlib_module_names | {"annotationlib", "compression"},
    "is the name of another part of the project": frozenset({
        "config", "deploy", "docker", "docs", "k8s", "kubernetes", "locale", "logs", "manage",
        "media", "nginx", "scripts", "static", "staticfiles", "swarm", "templates", "test", "tests",
    }),
    # What can be imported, and what is installed: a project cannot depend on its own name.
    "is the name of a package that a project may use": frozenset({
        "amqp", "anyio", "asgiref", "ast_serialize", "async_timeout", "attr", "attrs", "billiard",
        "black", "blib2to3", "build", "celery", "certifi", "cffi", "cfgv", "click", "colorama",
        "coverage", "csp", "distlib", "django", "django_csp", "django_environ", "django_guid",
        "django_redis", "django_stubs", "django_stubs_ext", "django_upgrade", "djangorestframework",
        "djangorestframework_simplejwt", "djangorestframework_stubs", "dotenv", "drf_spectacular",
        "drf_spectacular_sidecar", "drf_standardized_errors", "environ", "factory", "factory_boy",
        "faker", "filelock", "flake8", "gunicorn", "h11", "httpcore", "httpx", "hypothesis",
        "identify", "idna", "inflection", "iniconfig", "isort", "jsonschema",
        "jsonschema_specifications", "jwt", "kombu", "librt", "mccabe", "mypy", "mypy_extensions",
        "mysqlclient", "nodeenv", "outcome", "packaging", "pathspec", "pip", "pip_tools", "pipenv",
        "platformdirs", "pluggy", "pre_commit", "psycopg", "psycopg_binary", "psycopg_pool", "py",
        "pycodestyle", "pycparser", "pyflakes", "pygments", "pyjwt", "pymemcache",
        "pyproject_hooks", "pysocks", "pytest", "pytest_cov", "pytest_django", "pytest_env",
        "pytest_testmon", "python_discovery", "python_dotenv",
        "python_json_logger", "pythonjsonlogger", "pytokens", "pyuwsgi", "pyyaml", "redis",
        "referencing", "rest_framework", "rest_framework_simplejwt", "rpds_py", "ruff",
        "schemathesis", "selenium", "setuptools", "sniffio", "socks", "sortedcontainers",
        "sqlparse", "testmon", "tokenize_rt", "trio", "trio_websocket", "types_pyyaml",
        "typing_extensions", "tzdata", "uritemplate", "urllib3", "uv", "uwsgi", "uwsgidecorators",
        "valkey", "vine", "virtualenv", "watchfiles", "websocket", "websocket_client", "wheel",
        "whitenoise", "wsproto",
    }),
    "is a name that a database server keeps for itself": frozenset({
        "healthcheck", "information_schema", "mariadb", "mysql", "ndbinfo", "none",
        "performance_schema", "postgres", "public", "root", "sys", "template0", "template1",
    }),
    "is the name of a device on Windows": frozenset({
        "aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
    }),
}

# LANGUAGES of Django 5.2 (django/conf/global_settings.py), and en-us, which Django takes besides.
# Django 6.1 has one more, ht: it comes in when 5.2 goes.
LANGUAGES = frozenset({
    "af", "ar", "ar-dz", "ast", "az", "be", "bg", "bn", "br", "bs", "ca", "ckb", "cs", "cy", "da",
    "de", "dsb", "el", "en", "en-au", "en-gb", "en-us", "eo", "es", "es-ar", "es-co", "es-mx",
    "es-ni", "es-ve", "et", "eu", "fa", "fi", "fr", "fy", "ga", "gd", "gl", "he", "hi", "hr", "hsb",
    "hu", "hy", "ia", "id", "ig", "io", "is", "it", "ja", "ka", "kab", "kk", "km", "kn", "ko", "ky",
    "lb", "lt", "lv", "mk", "ml", "mn", "mr", "ms", "my", "nb", "ne", "nl", "nn", "os", "pa", "pl",
    "pt", "pt-br", "ro", "ru", "sk", "sl", "sq", "sr", "sr-latn", "sv", "sw", "ta", "te", "tg",
    "th", "tk", "tr", "tt", "udm", "ug", "uk", "ur", "uz", "vi", "zh-hans", "zh-hant",
})
# fmt: on


# A check takes an answer and yields what is wrong with it, in words that follow the answer.


def check_line(value: str, *, limit: int, optional: bool = False) -> Iterator[str]:
    """Check a line of text for people.

    Valid: My Site, 나의 사이트, Bob's "shop" 🚀.
    Invalid: a blank, one with a line break, one longer than the limit.
    """
    if not (value.strip() or optional):
        yield "is blank"
    elif value != value.strip():
        yield "begins or ends with a blank"
    if not UNPRINTABLE.isdisjoint(value):
        yield "has a line break or a control character"
    if len(value) > limit:
        yield f"has {len(value)} characters; {limit} are allowed"


def check_name(value: str) -> Iterator[str]:
    """Check the name of the project or of its author: a line."""
    return check_line(value, limit=200)


def check_description(value: str) -> Iterator[str]:
    """Check the description: a line, or nothing."""
    return check_line(value, limit=500, optional=True)


def check_slug(value: str) -> Iterator[str]:
    """Check the name of the directory, the package, the database and the database's user.

    Valid: shop, my_site, site_2.
    Invalid: My_Site, 2nd_site, my-site, _site, site_, a__b (no image's name), test, email, pg_site.
    """
    if len(value) > 32:
        yield f"has {len(value)} characters; the name of a user of MySQL may have 32"
    words = value.split("_")
    if not (value[:1].isalpha() and all(words) and SMALL.issuperset("".join(words))):
        yield "must be small letters and digits, a letter first, single underscores between them"
    elif why := taken(value):
        yield why


def check_email(value: str) -> Iterator[str]:
    """Check an address without a name around it.

    Valid: author@example.com, a.b+c@mail.example.com.
    Invalid: author, author@localhost, Author <author@example.com>, a@b@example.com.
    """
    local, _, domain = value.lower().rpartition("@")
    atoms = local.split(".")
    of_atoms = all(atoms) and (SMALL | {*"_%+-"}).issuperset("".join(atoms))
    if len(value) > 254 or len(local) > 64 or not (of_atoms and is_domain(domain)):
        yield "is not an e-mail address"


def check_domain(value: str) -> Iterator[str]:
    """Check the name of a host.

    Valid: example.com, www.my-site.example, localhost, xn--bcher-kva.example.
    Invalid: https://example.com, example.com:80, Example.com, my_site.example, intranet, 10.0.0.1.
    """
    if not value.isascii():
        yield "is not ASCII; punycode is how such a domain is written"
    elif len(value) > 253 or not (value == "localhost" or is_domain(value)):
        yield "is not a domain in small letters, without a scheme, a port or a path"


def check_language(value: str) -> Iterator[str]:
    """Check a code of one of Django's languages.

    Valid: en-us, ko, pt-br.
    Invalid: korean, ko-kr, pt_BR.
    """
    if value not in LANGUAGES:
        yield "is not the code of a language that Django knows"


def check_time_zone(value: str) -> Iterator[str]:
    """Check a name of the time zone database; only its form where the system has no such database.

    Valid: UTC, Asia/Seoul, America/Argentina/Ushuaia, Etc/GMT+9.
    Invalid: KST, asia/seoul, ../Asia/Seoul, Asia/Soul. Also old names, such as US/Pacific or
    Asia/Calcutta: Debian 13, which the image is made of, no longer has them.
    """
    if value in FIXED_OFFSETS:
        return
    zones = time_zones()
    if value not in zones if zones else not is_area_and_city(value):
        yield "is not UTC or a current Area/City name of the time zone database"


# What the checks and the suggestions need to know.


def taken(slug: str) -> str:
    """Return why a slug of good form cannot be used; empty if it can."""
    if slug.startswith("pg_"):
        return "begins with pg_, which PostgreSQL keeps for its own roles"
    return next((why for why, names in TAKEN.items() if slug in names), "")


def is_domain(text: str) -> bool:
    """Tell whether a text is a domain of two or more labels, in small letters.

    The last of them is not digits alone: those are IP addresses.
    """
    labels = text.split(".")
    return (
        len(labels) > 1
        and all(0 < len(label) < 64 and "-" not in (label[0], label[-1]) for label in labels)
        and (SMALL | {"-"}).issuperset("".join(labels))
        and not labels[-1].isdigit()
    )


def is_area_and_city(text: str) -> bool:
    """Tell whether a text has the form of Area/City or Area/Region/City."""
    area, *places = text.split("/")
    return (
        area in AREAS
        and len(places) in (1, 2)
        and all(place[:1].isupper() for place in places)
        and (SMALL | {*"_-"}).issuperset("".join(places).lower())
    )


def time_zones() -> frozenset[str]:
    """Return the current names of the time zone database; none where there is no database.

    The list, not the zones' files: those have old names too, and any spelling on some file systems.
    """
    for folder in ZONE_FOLDERS:
        try:
            with open(f"{folder}/zone.tab", encoding="utf-8") as lines:
                return frozenset(line.split("\t")[2].strip() for line in lines if line[0] != "#")
        except OSError:
            continue
    return frozenset()


# A suggestion takes a bad answer and returns what may have been meant, which may be bad as well.


def suggest_line(value: str) -> str:
    """Return the line without line breaks, control characters and needless blanks."""
    return " ".join("".join(" " if c in UNPRINTABLE else c for c in value).split())


def suggest_slug(value: str) -> str:
    """Return a slug of the value's letters and digits: site_2nd of 2nd, test_site of test."""
    slug = "_".join("".join(c if c in SMALL else " " for c in value.lower()).split())
    if slug[:1].isdigit():
        slug = f"site_{slug}"
    return f"{slug[:27].rstrip('_')}_site" if taken(slug) else slug[:32].rstrip("_")


def suggest_domain(value: str) -> str:
    """Return the domain in a URL, in small letters and ASCII."""
    host = value.strip().lower().split("://", 1)[-1].split("/")[0].split(":")[0]
    domain = host.rstrip(".").replace("_", "-")
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def suggest_language(value: str) -> str:
    """Return the code in Django's spelling, else the language without its country: ko of ko_KR."""
    code = value.strip().lower().replace("_", "-")
    family = (known for known in LANGUAGES if known.split("-")[0] == code.split("-")[0])
    return code if code in LANGUAGES else min(family, default="")


def suggest_time_zone(value: str) -> str:
    """Return the name of the time zone database that is most like the value."""
    # Slow to import, and seldom needed.
    from difflib import get_close_matches

    return next(iter(get_close_matches(value.title(), time_zones(), n=1, cutoff=0.8)), "")


Check = Callable[[str], Iterator[str]]
Suggest = Callable[[str], str]

# In the order in which they are asked: the check, the suggestion, and an answer that works.
ANSWERS: dict[str, tuple[Check, Suggest, str]] = {
    "project_name": (check_name, suggest_line, "My Site"),
    "project_slug": (check_slug, suggest_slug, "my_site"),
    "description": (check_description, suggest_line, "A Django project."),
    "author_name": (check_name, suggest_line, "Site Author"),
    "author_email": (check_email, suggest_line, "author@example.com"),
    "domain_name": (check_domain, suggest_domain, "example.com"),
    "language_code": (check_language, suggest_language, "ko"),
    "time_zone": (check_time_zone, suggest_time_zone, "Asia/Seoul"),
}


def problems(answers: dict[str, object]) -> list[str]:
    """Return a sentence for each thing wrong with the answers, with an answer that works."""
    found = []
    for name, (check, suggest, example) in ANSWERS.items():
        value = answers.get(name)
        if not isinstance(value, str):
            # Such as an unquoted no in the user's own configuration file.
            found.append(f"{name}: {QUOTE.repr(value)} is not text. For example: {example}")
            continue
        for problem in check(value):
            suggestion = suggest(value)
            works = suggestion if suggestion and not any(check(suggestion)) else example
            found.append(f"{name}: {QUOTE.repr(value)} {problem}. For example: {works}")
    return found


def refusals(answers: dict[str, object], refused: list[tuple[str, str]]) -> list[str]:
    """Return a sentence for each refused combination of choices that is among the answers.

    Such a combination is "database=sqlite, cache=redis", and beside it stands the reason.
    """
    given = {f"{name}={value}".lower() for name, value in answers.items()}
    return [
        f"{choices}: {why}" for choices, why in refused if given.issuperset(choices.split(", "))
    ]


# .env: the random part of a project, ignored by git and by Docker, and for its owner's eyes only.


def env_values(hosts: list[str], secrets: list[str]) -> dict[str, str]:
    """Return the variables of a new .env: 256 random bits for each of the secrets.

    Hexadecimal digits have no meaning of their own in a URL, a shell or Compose. The owner of the
    files that containers write in development is who generates the project.
    """
    values = {name: os.urandom(32).hex() for name in secrets}
    values |= {"ALLOWED_HOSTS": " ".join(dict.fromkeys(hosts)), "HTTPS": "false"}
    if sys.platform != "win32":
        values |= {"DEV_UID": str(os.getuid()), "DEV_GID": str(os.getgid())}
    if os.path.isdir("/proc/net") and not os.path.exists("/proc/net/if_inet6"):
        values["IPV6"] = "false"
    return values


def write_env(hosts: list[str], secrets: list[str]) -> str:
    """Write .env unless it is there; return a sentence that tells which.

    One that is there stays as it is: the database in the volume knows its passwords.
    """
    try:
        descriptor = os.open(".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        with open(".env", encoding="utf-8") as file:
            have = {line.partition("=")[0] for line in file}
        missing = ", ".join(name for name in secrets if name not in have)
        lacks = f" It lacks {missing}: see .env.example." if missing else ""
        return f"Kept the .env that was there.{lacks}"
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(
            "# This machine's settings and secrets. .env.example describes them, and others.\n"
        )
        file.writelines(f"{name}={value}\n" for name, value in env_values(hosts, secrets).items())
    return "Wrote random secrets to .env, which git and Docker ignore."


# .cruft.json: what the project was made from, for `drydock check` and for cruft.


def git(folder: str, *words: str) -> list[str]:
    """Return the lines that git prints of a repository's folder; none where it has nothing to say."""
    import subprocess

    try:
        command = ["git", "-C", folder, *words]
        result = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return result.stdout.decode(errors="replace").split("\n")


def head(folder: str) -> str:
    """Return the commit that a repository has checked out; empty where its files do not say so plainly.

    To start git, and to import what starts it, takes longer than all else here.
    """
    try:
        with open(f"{folder}/.git/HEAD", encoding="ascii") as file:
            name = file.read().strip()
        if name.startswith("ref: "):
            with open(f"{folder}/.git/{name[5:]}", encoding="ascii") as file:
                name = file.read().strip()
    except (OSError, ValueError):
        return ""
    return name if len(name) == 40 and SMALL.issuperset(name) else ""


def as_json(value: object, indent: str = "") -> str:
    """Return a value as JSON of an indent of two. The checks have refused control characters."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if not isinstance(value, dict | list):
        return {None: "null", False: "false", True: "true"}[value]  # type: ignore[index]
    begin, end, names = "[", "]", [""] * len(value)
    if isinstance(value, dict):
        begin, end, names = "{", "}", [f"{as_json(name)}: " for name in value]
        value = list(value.values())
    inner = f"\n{indent}  "
    items = zip(names, value, strict=True)
    lines = f",{inner}".join(name + as_json(item, indent + "  ") for name, item in items)
    return f"{begin}{inner}{lines}\n{indent}{end}"


def write_record(answers: dict[str, object]) -> None:
    """Write the record, where the template is in a git repository.

    cruft, and other tools that generate only to compare, do not say where the template is.
    """
    template, folder = str(answers.get("_template")), answers.get("_repo_dir")
    if not isinstance(folder, str):
        return
    # A relative path is relative to where cookiecutter was started, which is not here.
    folder = os.path.join(os.environ.get("PWD", ""), folder)
    if not os.path.isfile(f"{folder}/cookiecutter.json"):
        return
    commit, prefix = head(folder), ""
    if not commit:
        commit, prefix = [*git(folder, "rev-parse", "HEAD", "--show-prefix"), "", ""][:2]
    if os.path.isdir(os.path.join(os.environ.get("PWD", ""), template)):
        url = os.path.normpath(folder.removesuffix(prefix.rstrip("/")))
    else:
        url = [*git(folder, "config", "--get", "remote.origin.url"), ""][0]
        scheme, separator, rest = url.rpartition("://")
        host, slash, path = rest.partition("/")
        if scheme.startswith("http"):  # A name and a password before the host are not recorded.
            url = f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
    if not (commit and url):
        return
    record = {
        "template": url,
        "commit": commit,
        "checkout": answers.get("_checkout"),
        "context": {
            "cookiecutter": {name: value for name, value in answers.items() if name[0] != "_"}
        },
        "directory": prefix.rstrip("/") or None,
        "skip": [".env"],
    }
    with open(".cruft.json", "w", encoding="utf-8", newline="\n") as file:
        file.write(as_json(record) + "\n")


def main() -> int:
    """Say what is wrong with the answers, or what to do next; return the exit status."""
    # Texts as Python's own literals, so that no answer ends its quotes; without the catalogue.
    pairs: list[tuple[str, object]]
    more: list[list[str]]
    refused: list[tuple[str, str]]
    # fmt: off
    pairs = {{ "%r" | format(cookiecutter.items() | rejectattr(1, "mapping") | list) }}  # type: ignore  # noqa: F821
    more = [{{ cookiecutter._secrets.base }}, {{ cookiecutter._secrets.sample if cookiecutter.sample_app else [] }}, {{ cookiecutter._databases[cookiecutter.database].secrets }}, {{ cookiecutter._caches[cookiecutter.cache].secrets }}]  # type: ignore  # noqa: F821
    refused = {{ "%r" | format(cookiecutter._refused.items() | list) }}  # type: ignore  # noqa: F821
    # fmt: on
    secrets = [name for names in more for name in names]
    answers = dict(pairs)
    found = problems(answers) + refusals(answers, refused)
    if found:
        lines = "".join(f"  {line}\n" for line in found)
        sys.stderr.write(f"\nNothing was generated. Please change:\n{lines}\n")
        return 1
    write_record(answers)
    hosts = [str(answers["domain_name"]), "localhost", "127.0.0.1"]
    print(f"""
{write_env(hosts, secrets)}

Next:
  cd {answers["project_slug"]}
  docker compose up --build                                        # development
  docker compose -f docker-compose.yml up --build --wait           # production
""")
    return 0


if __name__ == "__main__":
    sys.exit(main())
