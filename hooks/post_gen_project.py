"""Finish a new project: remove empty folders, write .env and .cruft.json, and say what to do next.

cookiecutter renders this file and runs the result in the project's folder, after all files are there.
"""

import contextlib
import json
import os
import re
import secrets
import shlex
import subprocess
import sys
from pathlib import Path

# The answers and the catalogue. The JSON that Jinja writes contains no single quotes.
CONTEXT = dict(json.loads(r'{{ cookiecutter.items() | list | tojson }}'))  # fmt: skip
LOCALE = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
MESSAGES = CONTEXT["_messages"].get(re.split("[_.@]", LOCALE)[0], {})
SECRETS: list[str] = [
    *CONTEXT["_secrets"]["base"],
    *(CONTEXT["_secrets"]["sample"] if CONTEXT["sample_app"] else ()),
    *CONTEXT["_databases"][CONTEXT["database"]]["secrets"],
    *CONTEXT["_caches"][CONTEXT["cache"]]["secrets"],
    *CONTEXT["_task_queues"][CONTEXT["task_queue"]]["secrets"],
    *CONTEXT["_services"][CONTEXT["services"]]["secrets"],
]


def say(message: str, *values: object) -> str:
    """Return a message in the language of LANG, or else in English."""
    return str(MESSAGES.get(message, message)).format(*values)


def remove_empty_folders() -> None:
    """Remove the template's folders that stayed empty: cookiecutter creates them all."""
    for folder in CONTEXT["_optional_folders"]:
        with contextlib.suppress(OSError):  # It has files: it was chosen, or is the user's own.
            os.removedirs(folder.format(slug=CONTEXT["project_slug"]))


def write_env() -> str:
    """Write .env unless there is one; return a sentence that says which.

    An existing one stays: the database in the volume was created with its passwords. Secrets are hexadecimal, which
    needs no quoting in a URL, a shell or Compose. Files that containers write in development belong to the user.
    """
    path = f"{CONTEXT['project_slug']}/.env"
    try:
        descriptor = os.open(".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        have = {line.partition("=")[0] for line in Path(".env").read_text("utf-8").splitlines()}
        missing = ", ".join(name for name in SECRETS if name not in have)
        lacks = say(" It lacks {}: see .env.example.", missing) if missing else ""
        return say("Kept the existing {}.", path) + lacks
    hosts = [CONTEXT["domain_name"], "localhost", "127.0.0.1"]
    values = {name: secrets.token_hex(32) for name in SECRETS}
    values |= {"ALLOWED_HOSTS": " ".join(dict.fromkeys(hosts)), "HTTPS": "false"}
    if sys.platform != "win32":
        values |= {"DEV_UID": str(os.getuid()), "DEV_GID": str(os.getgid())}
    if Path("/proc/net").is_dir() and not Path("/proc/net/if_inet6").exists():
        values["IPV6"] = "false"
    title = "# This machine's settings and secrets. .env.example describes these and others."
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in [title, *map("=".join, values.items())])
    return say("Wrote random secrets to {}, which git and Docker ignore.", path)


def git(folder: Path, *words: str) -> list[str]:
    """Return the lines that git prints about a repository; empty ones if it fails."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        output = subprocess.check_output(["git", "-C", folder, *words], stderr=subprocess.DEVNULL)
        return [*output.decode(errors="replace").splitlines(), ""]
    return ["", ""]


def write_record() -> None:
    """Write the record of the generation, if the template is in a git repository.

    `drydock check` and cruft read it. Tools that generate only to compare do not say where the template is.
    """
    if not CONTEXT.get("_repo_dir"):
        return
    # A relative path starts where cookiecutter was started, which is not here.
    start = Path(os.environ.get("PWD", ""))
    folder = start / CONTEXT["_repo_dir"]
    if not (folder / "cookiecutter.json").is_file():
        return
    commit, prefix = git(folder, "rev-parse", "HEAD", "--show-prefix")[:2]
    if (start / CONTEXT["_template"]).is_dir():
        url = os.path.normpath(str(folder).removesuffix(prefix.rstrip("/")))
    else:
        # Without the user name and the password that may precede the host.
        url = re.sub("^(https?://)[^/]*@", r"\1", git(folder, "config", "remote.origin.url")[0])
    if not (commit and url):
        return
    answers = {name: value for name, value in CONTEXT.items() if name[0] != "_"}
    record = {
        "template": url,
        "commit": commit,
        "checkout": CONTEXT.get("_checkout"),
        "context": {"cookiecutter": answers},
        "directory": prefix.rstrip("/") or None,
        "skip": [".env"],
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    Path(".cruft.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")


def closing(wrote: str) -> str:
    """Return what was made, where its secrets are, and what to do next."""
    slug = CONTEXT["project_slug"]
    parts = ("_databases", "database"), ("_caches", "cache"), ("_app_servers", "app_server")
    labels = ", ".join(CONTEXT[entries][CONTEXT[name]]["label"] for entries, name in parts)
    output = CONTEXT.get("_output_dir", "")
    here = output in ("", os.environ.get("PWD"))
    folder = slug if here else shlex.quote(os.path.join(output, slug))
    made = "{} is in {}/: Django {} with {}."
    server = "Production, on a server, in a clone of the project (README.md has the rest):"
    return f"""
{say(made, CONTEXT["project_name"], slug, CONTEXT["django_version"], labels)}
{wrote}

{say("Development, on http://localhost:8000/:")}
  cd {folder}
  git init && git add --all && git commit --message "As generated"
  docker compose up --build

{say(server)}
  make server
  make deploy
"""


if __name__ == "__main__":
    remove_empty_folders()
    wrote = write_env()
    write_record()
    # A terminal without these letters is no reason to fail: cookiecutter would delete the project.
    sys.stdout.buffer.write(closing(wrote).encode(sys.stdout.encoding, "backslashreplace"))
