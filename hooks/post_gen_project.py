"""Write the secrets of a fresh project to .env, and say what to do next.

Everything else in the project is a function of the answers; this file alone holds what is random, so it is
ignored by git and by Docker, and readable by its owner only. One that is there already stays as it is: the
database in the volume knows its passwords.
"""

import os

EXAMPLE = ".env.example"
ENV = ".env"


def read(path: str) -> str:
    """Return the text of a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def assignments(text: str) -> dict[str, str]:
    """Return the NAME=value lines of an env file, comments left out, as names to values."""
    lines = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name: value for name, equals, value in lines if equals}


def filled(example: str) -> str:
    """Return the text of .env.example with a random value where the value is empty.

    64 hexadecimal digits: 256 bits of the system's own generator, and no character that a URL, a
    shell or Compose reads in a special way.
    The owner of the files that containers write in development is who generates the project.
    """
    ids = {"DEV_UID": "getuid", "DEV_GID": "getgid"}
    lines = []
    for line in example.splitlines():
        name, equals, value = line.partition("=")
        identity = getattr(os, ids.get(name.lstrip("#"), ""), None)
        if equals and not value and not name.startswith("#"):
            line = f"{name}={os.urandom(32).hex()}"
        elif identity:
            line = f"{name.lstrip('#')}={identity()}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def write_env() -> str:
    """Write .env unless it is there; return a sentence that tells which."""
    example = read(EXAMPLE)
    try:
        descriptor = os.open(ENV, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        have = assignments(read(ENV))
        missing = [name for name in assignments(example) if name not in have]
        lacks = f" It lacks {', '.join(missing)}: see .env.example." if missing else ""
        return f"Kept the .env that was there.{lacks}"
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(filled(example))
    return "Wrote random secrets to .env, which git and Docker ignore."


print(f"""
{write_env()}

Next:
  cd {os.path.basename(os.getcwd())}
  docker compose up --build                                        # development
  docker compose -f docker-compose.yml up --build --wait           # production
""")
