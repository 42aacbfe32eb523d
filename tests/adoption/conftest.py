"""Real applications move into generated projects, which then run as servers."""

from pathlib import Path

import pytest

from tests.stack.conftest import browser, docker, make_stack
from tests.support.commands import tool

__all__ = ["browser", "docker", "make_stack"]


@pytest.fixture(autouse=True)
def package_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents and Makefiles find uv, as on the machine of somebody who has installed it."""
    monkeypatch.setenv("PATH", str(Path(tool("uv")).parent), prepend=":")
