"""Applications of others move in: the documents beside this file say how, in the form of the project's recipes."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stack.conftest import Browser, Stack, serve
from tests.support.commands import succeed
from tests.support.recipes import Edit, follow, read
from tests.support.stacks import only_in_the_long_form

# `make adoption`; the gate has the editor beside the recipes.
pytestmark = [pytest.mark.stack, only_in_the_long_form]

DOCUMENTS = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.md"))}
RECIPES = re.compile(r'recipe "([^"]+)"')
PAGE = re.compile(r"(?m)^\| `(/[^`]*)` \| `([^`]+)` \|$")
# The static files that a page has loaded.
LOADED = """
    return performance.getEntriesByType("resource")
        .map(entry => new URL(entry.name).pathname).filter(path => path.startsWith("/static/"))
"""
HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_application_moves_in(
    name: str,
    make_stack: Callable[..., Stack],
    browser: Browser,
    record_property: Callable[[str, object], None],
) -> None:
    started = time.monotonic()
    text = DOCUMENTS[name].read_text()
    stack = make_stack("adoption", database="mysql")
    edited = move_in(stack.folder, text)
    for target in ("format", "lint", "test"):
        succeed("make", target, cwd=stack.folder)
    serve(stack, SOCKETS="1", EMAIL_URL="consolemail://")
    stack.add_administrator()
    browser.log_in(stack)
    pages = PAGE.findall(text)
    assert pages
    loaded: set[str] = set()
    for path, sign in pages:
        browser.open(stack, path, sign)
        loaded |= set(browser.driver.execute_script(LOADED))
    lifetimes = {path: stack.get(path).headers["Cache-Control"] for path in loaded}
    wrong = [p for p, life in lifetimes.items() if ("immutable" in life) != bool(HASHED.search(p))]
    assert wrong == []
    stack.down()
    # Files of the project that a person edits, outside of the app.
    assert len(edited) <= 3, edited
    record_property("files", sorted(edited))
    record_property("seconds", round(time.monotonic() - started))


def move_in(project: Path, text: str) -> set[str]:
    """Do what a document says; return the files that a person edits outside of the apps."""
    (recipe,) = read(text).values()
    documents = read((project / "docs/recipes.md").read_text())
    recipes = RECIPES.findall(text)
    packages = [
        *recipe.packages,
        *(name for title in recipes for name in documents[title].packages),
    ]
    succeed("uv", "add", "--quiet", *packages, cwd=project)
    for step in recipe.steps:
        if isinstance(step, Edit):
            step.apply(project)
        else:
            succeed("bash", "-c", step, cwd=project)
    follow(project, *recipes)
    succeed("make", "lock", cwd=project)
    edits = [*recipe.edits, *(edit for title in recipes for edit in documents[title].edits)]
    return {edit.path for edit in edits if not edit.path.startswith(f"{project.name}/")}
