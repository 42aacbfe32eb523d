"""Where a project is started: in folders with other names, on machines with other settings, twice at once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stack.conftest import Stack

pytestmark = pytest.mark.stack

MakeStack = Callable[..., Stack]


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    """Return a stack in a folder with a Korean name."""
    stack = make_stack("checkout", database="sqlite", cache="locmem", app_server="gunicorn")
    stack.folder = stack.folder.rename(stack.folder.with_name("한강"))
    stack.up()
    return stack


def test_a_folder_may_have_any_name(stack: Stack) -> None:
    assert stack.folder.name == "한강"
    assert stack.config()["name"] == "checkout"
    assert stack.get().status_code == 200


def test_a_dead_proxy_in_the_configuration_of_docker_harms_no_health_check(
    stack: Stack, tmp_path: Path
) -> None:
    dead = "http://127.0.0.1:9"
    proxies = {"default": {"httpProxy": dead, "httpsProxy": dead}}
    (tmp_path / "config.json").write_text(json.dumps({"proxies": proxies}))
    stack.env["DOCKER_CONFIG"] = str(tmp_path)
    try:
        stack.compose("up", "--wait", "--force-recreate")
        for service in ("backend", "nginx"):
            assert f"HTTP_PROXY={dead}" in stack.execute(service, "env").splitlines()
        states = [state["State"] for state in stack.inspect(*stack.containers("backend", "nginx"))]
        assert {state["Health"]["Status"] for state in states} == {"healthy"}
        assert stack.get().status_code == 200
    finally:
        stack.env.clear()


@pytest.mark.parametrize(
    "files", [(), ("docker-compose.override.yml",)], ids=["production", "development"]
)
def test_two_checkouts_share_neither_images_nor_volumes_nor_networks(
    files: tuple[str, ...], make_stack: MakeStack
) -> None:
    names = ("docker-compose.yml", *files)
    first = make_stack("checkouts", files=names, database="mysql", cache="redis")
    second = make_stack("checkouts", files=names, database="mysql", cache="redis")
    env = second.folder / ".env"
    env.write_text(f"{env.read_text()}COMPOSE_PROJECT_NAME=checkouts-2\n")

    def owned(stack: Stack) -> set[str]:
        config = stack.config()
        built = {row["image"] for row in config["services"].values() if "build" in row}
        assert len(built) >= 2
        kinds = [config[kind].values() for kind in ("volumes", "networks")]
        return built | {row["name"] for rows in kinds for row in rows}

    assert first.config()["services"].keys() == second.config()["services"].keys()
    assert len(owned(first)) == len(owned(second))
    assert owned(first).isdisjoint(owned(second))
