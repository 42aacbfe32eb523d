"""The benchmark of updates: its edits can be found again, and it sees when they are lost or in conflict."""

import os
import subprocess
from pathlib import Path
from random import Random

import pytest
from projects import Tools, last_line
from updates import Edit, Side, score, texts

CONTENT = "\n".join(f'name{number} = "a value of line {number}"' for number in range(40)) + "\n"


@pytest.fixture
def tools() -> Tools:
    """Tools that have git only."""
    made = Tools.__new__(Tools)
    made.env = dict(os.environ)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository of three files."""
    for name in ("a.toml", "b.yml", "c.md"):
        (tmp_path / name).write_text(CONTENT.replace("name", name[0]))
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


@pytest.mark.parametrize("seed", range(5))
def test_edits_that_are_all_there_are_neither_lost_nor_missing(
    seed: int, folder: Path, tools: Tools
) -> None:
    before = {name for name, _ in texts(folder)}
    side = Side(folder, "ours", Random(seed), ["a.toml"])  # noqa: S311
    for _ in range(10):
        side.edit(also_added="docs/extra.md")
    assert len(side.edits) == 10
    result = score(tools, folder, before, side.edits, side.edits, "")
    assert not result.conflicts
    assert not result.lost
    assert not result.missing


def test_edits_that_are_undone_are_lost_and_missing(folder: Path, tools: Tools) -> None:
    edits = [
        Edit(kind="value", path="a.toml", word="ours1"),
        Edit(kind="delete", path="a.toml", line='a3 = "a value of line 3"'),
        Edit(kind="remove", path="b.yml"),
    ]
    (folder / "a.toml").write_text(f"{CONTENT}ours10\n".replace("name", "a"))
    result = score(tools, folder, {"a.toml", "b.yml"}, edits, edits, "")
    assert result.lost == result.missing == tuple(edits)


@pytest.mark.parametrize("reported", ["markers", "a.toml.rej"])
def test_what_is_reported_as_a_conflict_is_not_missing(
    reported: str, folder: Path, tools: Tools
) -> None:
    name = "a.toml" if reported == "markers" else reported
    with (folder / name).open("a") as file:
        file.write("<<<<<<< ours\n")
    edit = Edit(kind="value", path="a.toml", word="theirs1")
    result = score(tools, folder, {"a.toml"}, [], [edit], "")
    assert result.conflicts == {"a.toml"}
    assert not result.missing


def test_the_last_line_of_a_traceback_in_a_box_is_what_stands_below() -> None:
    assert last_line("╭──╮\n│ x │\n╰──╯\nError: it is\nnot there\n") == "Error: it is not there"
    assert last_line("one\ntwo\n\n") == "two"
