"""Real applications move into generated projects, which then run as servers."""

from tests.stack.conftest import browser, docker, make_stack

__all__ = ["browser", "docker", "make_stack"]
