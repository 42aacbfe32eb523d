"""Finish a new project: remove empty folders, write .env and .cruft.json, and say what to do next.

cookiecutter renders this file and runs the result in the project's folder, after all files are there.
"""

import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

# The answers and the catalogue. The JSON that Jinja writes contains no single quotes.
CONTEXT = dict(json.loads(r'{{ cookiecutter.items() | list | tojson }}'))  # fmt: skip
SECRETS: list[str] = [
    *CONTEXT["_secrets"]["base"],
    *(CONTEXT["_secrets"]["sample"] if CONTEXT["sample_app"] else ()),
    *CONTEXT["_databases"][CONTEXT["database"]]["secrets"],
    *CONTEXT["_caches"][CONTEXT["cache"]]["secrets"],
]


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
    try:
        descriptor = os.open(".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        have = {line.partition("=")[0] for line in Path(".env").read_text("utf-8").splitlines()}
        missing = ", ".join(name for name in SECRETS if name not in have)
        lacks = f" It lacks {missing}: see .env.example." if missing else ""
        return f"Kept the existing .env.{lacks}"
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
    return "Wrote random secrets to .env, which git and Docker ignore."


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


if __name__ == "__main__":
    remove_empty_folders()
    wrote = write_env()
    write_record()
    print(f"""
{wrote}

Next:
  cd {CONTEXT["project_slug"]}
  docker compose up --build                                        # development
  docker compose -f docker-compose.yml up --build --wait           # production
""")
