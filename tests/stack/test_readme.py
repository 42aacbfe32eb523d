"""The README's first steps, on a computer that has Python, pip, git and Docker, and nothing else."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.conftest import Stack, eventually
from tests.support.catalogue import ROOT
from tests.support.commands import program, run, succeed
from tests.support.guides import BLOCK
from tests.support.templates import copied
from tools.captures import address

pytestmark = pytest.mark.stack

# Like the official image, which has git.
COMPUTER = """
FROM python:3.14
RUN apt-get update && apt-get install --yes --no-install-recommends git
"""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Return what the newcomer's project will be; it ends with the test."""
    stack = Stack(folder=tmp_path / "my_site")
    yield stack
    if stack.folder.exists():
        stack.down()


@pytest.fixture
def computer(stack: Stack) -> Iterator[list[str]]:
    """Return the words that run a command on the computer, in an empty folder."""
    home = stack.folder.parent
    run("docker", "build", "--tag=computer", "-", cwd=home, text=COMPUTER).check_returncode()
    plugins = json.loads(
        succeed("docker", "info", "--format={{json .ClientInfo.Plugins}}", cwd=home)
    )
    # Its engine is this machine's: what Compose mounts has the same path on both.
    paths = [home, "/var/run/docker.sock", program("docker"), *(row["Path"] for row in plugins)]
    # The address of the README is this repository, as it is here.
    copied(home / "template.git")
    env = {
        "HTTP_PORT": str(stack.port),
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.file://{home}/template.git.insteadOf",
        "GIT_CONFIG_VALUE_0": f"{address()}.git",
        "GIT_CONFIG_KEY_1": f"url.file://{home}/template.git.insteadOf",
        "GIT_CONFIG_VALUE_1": address(),
    }
    name = f"computer-{os.getpid()}"
    words = ["docker", "run", "--rm", "--interactive", "--tty", f"--name={name}", "--network=host"]
    words += [f"--volume={path}:{path}" for path in paths]
    words += [f"--env={key}={value}" for key, value in env.items()]
    yield [*words, f"--workdir={home}", "computer"]
    run("docker", "rm", "--force", name, cwd=home)
    run("docker", "image", "rm", "computer", cwd=home)


def test_two_blocks_lead_to_a_page(computer: list[str], stack: Stack, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    make, start = BLOCK.findall(text)[:2]
    assert "drydock new" in make
    assert "docker compose up" in start
    keyboard, terminal = os.openpty()
    os.write(keyboard, b"\n" * 40)  # Enter, for each question.
    output = tmp_path / "output"
    with output.open("w") as stdout:
        words = [*computer, "bash", "-euxc", make + start]
        shell = subprocess.Popen(words, stdin=terminal, stdout=stdout, stderr=subprocess.STDOUT)
        status = eventually(lambda: shell.poll() or stack.status(), bool, 300)
        shell.kill()
        shell.wait()
    assert status == 200, output.read_text()
