"""Run git, and read what it prints: the one place that starts it."""

import os
import subprocess
import tempfile
from pathlib import Path

from drydock.errors import DrydockError
from drydock.source.address import hidden, without_credentials

PROTOCOLS = "file:git:http:https:ssh"
# How long a server may take to list its branches, and to send what is new; and git to do anything else. Seconds.
ANSWER, TRANSFER, WORK = 60, 1800, 300
# Variables by which git's own hooks point to a different repository from the requested one.
LOCAL = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CEILING_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR",
    "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE",
})  # fmt: skip
# A repository's own settings could name programs to run: none of these commands needs any.
SETTINGS = ("core.hooksPath=/dev/null", "log.showSignature=false")
# A slow server is as bad as a silent one: bytes a second, and for how long.
NETWORK = ("http.lowSpeedLimit=100", f"http.lowSpeedTime={ANSWER}")


def git(
    folder: str | Path | None, *arguments: str, check: bool = True, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder; DrydockError with its output if it fails and `check` is set, or takes far too long.

    It can reach no other repository.
    """
    name = next((word for word in arguments if not word.startswith("-") and "=" not in word), "")
    place = () if folder is None else ("-C", str(folder))
    try:
        result = subprocess.run(
            [*command(*SETTINGS), *place, *arguments],
            input=stdin,
            capture_output=True,
            env=environment("none"),
            check=False,
            timeout=WORK,
        )
    except FileNotFoundError:
        raise missing() from None
    except subprocess.TimeoutExpired:
        raise DrydockError(f"git {name}: was ended after {WORK} seconds.") from None
    if check and result.returncode:
        said = without_credentials(result.stderr.decode(errors="replace")).strip()
        raise DrydockError(f"git {name}: {said}")
    return result


def ask(folder: Path, url: str, name: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `git fetch` or `git ls-remote` for a mirror: the only commands that may reach another repository.

    DrydockError if it does not answer in time.
    """
    seconds = ANSWER if name == "ls-remote" else TRANSFER
    told = [*command(*SETTINGS, *NETWORK), f"--git-dir={folder}", name, "--quiet", *arguments]
    # Files, because pipes would be kept open by what git has started.
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                told,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment(PROTOCOLS),
            )
        except FileNotFoundError:
            raise missing() from None
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise DrydockError(
                f"{without_credentials(url)}: did not answer within {seconds} seconds. Try again later; "
                "--offline uses what was fetched before."
            ) from None
        finally:
            end(process)
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(
            told, process.returncode, output.read(), hidden(errors.read().decode(errors="replace"), url).encode()
        )  # fmt: skip


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs; git then ends those that it has started."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def command(*settings: str) -> list[str]:
    """Return the start of a command line."""
    return ["git", *(word for setting in settings for word in ("-c", setting))]


def environment(protocols: str) -> dict[str, str]:
    """Return the variables to run git with; `protocols` are those that it may use."""
    # A repository that says that it is a partial clone would have git fetch what is missing, by a
    # program of its own choice.
    return {name: value for name, value in os.environ.items() if name not in LOCAL} | {
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def missing() -> DrydockError:
    """Return the error of a machine without git."""
    return DrydockError("git is not installed, and drydock needs it.")


def entries_of(output: bytes) -> dict[str, tuple[str, str]]:
    """Return mode and object of each path, from what `git ls-tree -r -z` prints; no submodules."""
    return {
        path: (mode, sha)
        for path, (mode, kind, sha) in listing_of(output).items()
        if kind == "blob"
    }


def listing_of(output: bytes) -> dict[str, tuple[str, str, str]]:
    """Return mode, kind and object of each path, from what `git ls-tree -r -z` prints."""
    entries = {}
    for line in filter(None, output.split(b"\0")):
        fields, _, name = line.partition(b"\t")
        mode, kind, sha = fields.decode().split()
        entries[name.decode(errors="surrogateescape")] = (mode, kind, sha)
    return entries


def contents_of(output: bytes) -> dict[str, bytes]:
    """Return the contents of objects by name, from what `git cat-file --batch` prints.

    LookupError with git's words for one that is missing.
    """
    objects, position = {}, 0
    while position < len(output):
        end = output.index(b"\n", position)
        header = output[position:end].decode().split()
        if len(header) != 3:
            raise LookupError(" ".join(header))
        size = int(header[2])
        objects[header[0]] = output[end + 1 : end + 1 + size]
        position = end + size + 2
    return objects


def objects_of(repository: Path, shas: list[str], limit: int) -> dict[str, bytes] | None:
    """Return the contents of a repository's objects by name; None if they have more bytes than the limit.

    LookupError with git's words for one that is missing.
    """
    told = [*command(*SETTINGS), f"--git-dir={repository}", "cat-file", "--batch"]
    with tempfile.TemporaryFile() as names:
        names.write("".join(f"{sha}\n" for sha in dict.fromkeys(shas)).encode())
        names.seek(0)
        with subprocess.Popen(
            told,
            stdin=names,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment("none"),
        ) as process:
            try:
                output = process.stdout.read(limit + 1) if process.stdout else b""
            finally:
                if len(output) > limit:
                    end(process)
    if len(output) > limit:
        return None
    if process.returncode:
        raise LookupError("git cannot read its objects")
    return contents_of(output)
