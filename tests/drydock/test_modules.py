"""Modules import each other in one direction only."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import drydock

ROOT = Path(drydock.__file__).parent


def name_of(path: Path) -> str:
    """Return the name of a module."""
    return ".".join(["drydock", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(
        ".__init__"
    )


def imports(path: Path, names: set[str]) -> set[str]:
    """Return the modules of the package that a module imports, anywhere in its text."""
    result = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            result |= {name if name in names else node.module for name in inner}
    return (result & names) - {name_of(path)}


def test_there_are_no_circles() -> None:
    modules = {name_of(path): path for path in ROOT.rglob("*.py")}
    graph = {name: imports(path, {*modules}) for name, path in modules.items()}
    assert len(graph) > 40
    TopologicalSorter(graph).prepare()  # CycleError names the modules of a circle.


def test_nothing_but_the_command_line_knows_the_commands() -> None:
    modules = {name_of(path): path for path in ROOT.rglob("*.py")}
    for name, path in modules.items():
        if not name.startswith("drydock.commands"):
            assert not [
                used for used in imports(path, {*modules}) if used.startswith("drydock.commands")
            ]
