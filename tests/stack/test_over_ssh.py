"""A project is released over ssh, on a server that bin/server-setup has made."""

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stack.conftest import Stack, commit, eventually, free_port
from tests.stack.test_deploy import WRONG, backends, style, visitors
from tests.support.commands import run, succeed
from tests.support.stacks import only_in_the_long_form

pytestmark = pytest.mark.stack

NAME = "over_ssh"
# A fresh machine that ssh reaches. It has no systemd: what is asked of it, is written down. Its engine is the one
# that all tests use, and its swap is taken to be there.
DOCKERFILE = r"""
FROM lab/base:sid
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends docker-registry openssh-server sudo \
 && echo VERSION_ID=13 >>/etc/os-release && mkdir -p /run/sshd \
 && printf '#!/bin/sh\necho "$*" >>/var/log/systemctl\n' >/usr/local/bin/systemctl \
 && printf '#!/bin/sh\necho /swapfile\n' >/usr/local/bin/swapon && chmod +x /usr/local/bin/*
RUN useradd --create-home --shell /bin/bash admin && echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin \
 && echo 'Defaults secure_path="/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"' >>/etc/sudoers.d/admin
CMD ["/usr/sbin/sshd", "-D", "-e"]
"""


@dataclass(frozen=True)
class Server:
    """The server, and the project on a laptop."""

    stack: Stack
    container: str
    # Where ssh is, and its settings.
    folder: Path

    def deploy(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run bin/deploy on the laptop, which may fail."""
        path = f"{self.folder}:{os.environ['PATH']}"
        return run("bin/deploy", "site", *words, cwd=self.stack.folder, env={"PATH": path, **env})

    def release(self, *words: str, **env: str) -> str:
        """Release, and fail unless it succeeds; return what was printed."""
        result = self.deploy(*words, **env)
        assert result.returncode == 0, result.stdout[-3000:]
        return result.stdout

    def ssh(self, user: str, *words: str, text: str = "") -> str:
        """Run a command on the server as a user; return what it printed."""
        result = run(self.folder / "ssh", f"{user}@site", *words, cwd=self.folder, text=text)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def execute(self, *words: str) -> str:
        """Run a command in the server's container, as root."""
        return succeed("docker", "exec", self.container, *words, cwd=self.folder)


@pytest.fixture(scope="module")
def server(
    make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Return a server that is set up, before its first release."""
    folder = tmp_path_factory.mktemp("laptop")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    succeed("docker", "build", "--quiet", "--tag", f"{NAME}-server", ".", cwd=folder)
    port = free_port()
    run("docker", "rm", "--force", f"{NAME}-server", cwd=folder)
    container = succeed(
        "docker", "run", "--detach", "--name", f"{NAME}-server", "--cap-add", "NET_ADMIN",
        "--publish", f"127.0.0.1:{port}:22", "--tmpfs", "/srv:size=64m,mode=755,exec",
        "--volume", "/var/run/docker.sock:/var/run/docker.sock", f"{NAME}-server", cwd=folder,
    ).strip()  # fmt: skip
    succeed("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key", cwd=folder)
    (folder / "config").write_text(
        f"""Host site
    HostName 127.0.0.1
    Port {port}
    User deploy
    IdentityFile {folder}/key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    BatchMode yes
"""
    )
    (folder / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {folder}/config "$@"\n')
    (folder / "ssh").chmod(0o755)
    stack = make_stack(NAME, database="sqlite", cache="locmem", deploy="ssh")
    succeed("git", "init", "--quiet", cwd=stack.folder)
    commit(stack, "README.md", lambda text: f"{text}\n")
    server = Server(stack, container, folder)
    key = server.execute("cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {key[0]} {key[1]}\n")
    # As cloud images do it, for root.
    allowed = f'no-port-forwarding,command="echo no" {(folder / "key.pub").read_text()}'
    home = "/home/admin/.ssh"
    server.execute("install", "-d", "-o", "admin", home)
    server.execute("sh", "-c", f"echo '{(folder / 'key.pub').read_text()}' >{home}/authorized_keys")
    server.execute("sh", "-c", f"mkdir -p /root/.ssh; echo '{allowed}' >/root/.ssh/authorized_keys")
    server.execute("sh", "-c", f"echo HTTP_PORT={stack.port} >>/etc/environment")
    yield server
    stack.down()
    run("docker", "rm", "--force", container, cwd=folder)


def set_up(server: Server) -> str:
    """Run bin/server-setup as its first lines say."""
    script = (server.stack.folder / "bin/server-setup").read_text()
    return server.ssh("admin", "cat >setup && sudo bash setup", text=script)


def test_a_fresh_machine_becomes_a_server(server: Server) -> None:
    refused = server.deploy()
    assert refused.returncode != 0
    assert "bin/server-setup" in refused.stdout.splitlines()[-1]
    printed = set_up(server)
    known = (server.folder / "known_hosts").read_text().split(maxsplit=1)[1]
    assert printed.splitlines()[-1] == f"ADDRESS {known.strip()}"
    assert "passwordauthentication no" in server.execute("sshd", "-T").casefold()
    assert "live-restore" in server.execute("cat", "/etc/docker/daemon.json")
    rules = server.execute("ufw", "status")
    assert re.findall(r"(?m)^(\d+)/tcp +ALLOW", rules) == ["22", "80", "443"]
    asked = server.execute("cat", "/var/log/systemctl")
    assert "restart docker" in asked
    # Again: nothing is restarted, and no key is lost.
    server.ssh("deploy", "cat >>.ssh/authorized_keys", text="ssh-ed25519 AAAA ci\n")
    set_up(server)
    assert server.ssh("deploy", "tail -n 1 .ssh/authorized_keys") == "ssh-ed25519 AAAA ci\n"
    assert "restart docker" not in server.execute("cat", "/var/log/systemctl").removeprefix(asked)
    # The engine's socket belongs to another group here than on a server.
    group = server.execute("stat", "-c", "%g", "/var/run/docker.sock").strip()
    server.execute("sh", "-c", f"groupadd -f -o -g {group} engine; usermod -aG engine deploy")


def test_the_first_release_makes_settings_and_the_next_lets_no_visitor_down(
    server: Server,
) -> None:
    stack = server.stack
    printed = server.release()
    assert "settings" in printed
    assert server.ssh("deploy", f"stat -c %a /srv/{NAME}/.env") == "600\n"
    assert eventually(stack.ready, lambda status: status == 200) == 200
    name = commit(stack, f"{NAME}/core/static/core/site.css", style(1))
    with visitors(stack):
        printed = server.release()
    assert printed.splitlines()[-1] == f"deploy: {name} serves"
    assert server.release("releases").splitlines()[-1].startswith(name)


@only_in_the_long_form
def test_an_image_of_a_registry_is_pulled(server: Server) -> None:
    stack = server.stack
    port = free_port()
    config = f"version: 0.1\nstorage: {{inmemory: {{}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
    (server.folder / "registry.yml").write_text(config)
    registry = succeed(
        "docker", "run", "--detach", "--network", "host",
        "--volume", f"{server.folder}:/registry:ro", f"{NAME}-server",
        "docker-registry", "serve", "/registry/registry.yml", cwd=server.folder,
    ).strip()  # fmt: skip
    try:
        image = f"127.0.0.1:{port}/{NAME}"
        name = commit(stack, f"{NAME}/core/static/core/site.css", style(2))
        missing = server.deploy(IMAGE=image)
        assert missing.returncode != 0
        assert "the image cannot be pulled" in missing.stdout
        target = ["--target", "production", "--label", "of=the-registry"]
        succeed("docker", "build", "--quiet", "--tag", f"{image}:{name}", *target, ".", cwd=stack.folder)  # fmt: skip
        succeed("docker", "push", "--quiet", f"{image}:{name}", cwd=stack.folder)
        succeed("docker", "image", "rm", f"{image}:{name}", cwd=stack.folder)
        with visitors(stack):
            server.release(IMAGE=image)
    finally:
        succeed("docker", "rm", "--force", registry, cwd=server.folder)
    (backend,) = stack.inspect(*backends(stack))
    assert backend["Config"]["Labels"]["of"] == "the-registry"
    with visitors(stack):
        server.release("rollback")
    (backend,) = stack.inspect(*backends(stack))
    assert "of" not in backend["Config"]["Labels"]


def refused(server: Server, reason: str) -> None:
    """Release in vain, for a reason; the old release serves, and its files are there."""
    before = backends(server.stack)
    checkout = server.ssh("deploy", f"git -C /srv/{NAME} rev-parse HEAD")
    with visitors(server.stack):
        result = server.deploy()
    assert result.returncode != 0
    assert re.search(reason, result.stdout), result.stdout[-3000:]
    assert backends(server.stack) == before
    assert server.ssh("deploy", f"git -C /srv/{NAME} rev-parse HEAD") == checkout


def test_the_old_release_serves_if_the_new_one_is_bad(server: Server) -> None:
    path, change, reason = WRONG["its migration fails"]
    commit(server.stack, path.format(slug=NAME), change)
    refused(server, f"{reason}.* still serves\n(.*\n)*.*site did not release")
    succeed("git", "reset", "--hard", "--quiet", "HEAD~1", cwd=server.stack.folder)


def test_a_server_with_another_key_gets_nothing(server: Server) -> None:
    known = server.folder / "known_hosts"
    right = known.read_text()
    key = (server.folder / "key.pub").read_text().split()[1]
    known.write_text(f"{right.rpartition(' ')[0]} {key}\n")
    try:
        result = server.deploy()
    finally:
        known.write_text(right)
    assert result.returncode != 0
    assert "Host key verification failed" in result.stdout


@only_in_the_long_form
def test_the_old_release_serves_on_if_the_disk_is_full(server: Server) -> None:
    # Full for the commit.
    commit(server.stack, "large.bin", lambda text: os.urandom(3_000_000).hex())
    server.ssh(
        "deploy", f"dd if=/dev/zero of=/srv/{NAME}/.git/full bs=1M count=62 2>/dev/null; true"
    )
    refused(server, "No space left|does not take the commit")
    server.ssh("deploy", f"rm /srv/{NAME}/.git/full")
    succeed("git", "reset", "--hard", "--quiet", "HEAD~1", cwd=server.stack.folder)
    # Full before long: nothing is built that would fill it.
    commit(server.stack, "bin/deploy", lambda text: text.replace("SPACE=1024", "SPACE=999999999"))
    server.execute("mkdir", "-p", server.execute("docker", "info", "--format", "{{.DockerRootDir}}").strip())  # fmt: skip
    refused(server, r"the disk has only \d+ MB left.* still serves")
    succeed("git", "reset", "--hard", "--quiet", "HEAD~1", cwd=server.stack.folder)


@only_in_the_long_form
def test_a_connection_that_breaks_leaves_the_old_release(server: Server) -> None:
    before = backends(server.stack)
    path, change, _ = WRONG["its readiness stays red"]
    commit(server.stack, path, change)
    answers = []
    deploying = threading.Thread(target=lambda: answers.append(server.deploy()))
    with visitors(server.stack):
        deploying.start()
        count = eventually(lambda: len(backends(server.stack)), lambda n: n == 2)
        server.execute("pkill", "-f", "sshd-session: deploy")
        deploying.join()
        left = eventually(lambda: backends(server.stack), lambda ids: ids == before, 120)
    assert count == 2
    assert answers[0].returncode != 0
    assert left == before
    succeed("git", "reset", "--hard", "--quiet", "HEAD~1", cwd=server.stack.folder)
    # The next one is not in the way of what is left.
    commit(server.stack, f"{NAME}/core/static/core/site.css", style(3))
    assert eventually(lambda: server.deploy().returncode, lambda status: status == 0) == 0
