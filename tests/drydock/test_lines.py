"""Differences by line: right whatever the texts are, and bounded."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drydock import lines
from drydock.lines import Matcher
from drydock.merge import merge_trees, merged_by_line
from drydock.tree import Tree
from tests.drydock.test_update import commit
from tests.support.templates import TOP, Drydock, MakeTemplate

TEXTS = st.lists(st.sampled_from("abc"), max_size=12)


def patched(matcher: Matcher) -> list[str]:
    """Return the new text, made from the old one by what the matcher says."""
    result: list[str] = []
    for tag, start, end, first, last in matcher.get_opcodes():
        result += matcher.old[start:end] if tag == "equal" else matcher.new[first:last]
    return result


@given(old=TEXTS, new=TEXTS, work=st.integers(0, 60))
def test_a_bound_makes_a_difference_coarser_and_not_wrong(
    old: list[str], new: list[str], work: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "WORK", work)
        matcher = Matcher(old, new, autojunk=False)
        assert patched(matcher) == new
        assert 0 <= matcher.left <= work


def hostile(seed: int) -> list[str]:
    """Return lines that are all frequent, but none so frequent that difflib leaves it out."""
    chosen = random.Random(seed)  # noqa: S311
    return [f"line {chosen.randrange(110)}\n" for _ in range(36_000)]


def test_an_edit_of_a_hostile_file_is_still_seen_as_small() -> None:
    old = hostile(1)
    new = [*old[:20_000], "mine\n", *old[20_001:]]
    changed = [code for code in Matcher(old, new).get_opcodes() if code[0] != "equal"]
    assert changed == [("replace", 20_000, 20_001, 20_000, 20_001)]


def lock(version: str) -> list[str]:
    """Return the lines of a lock in which every package has a version."""
    packages = (
        (
            f'"package-{number}": {{',
            f'  "version": "{version}.{number}",',
            '  "license": "MIT"',
            "},",
        )
        for number in range(9_000)
    )
    return [*(line for package in packages for line in package), "}"]


def test_a_lock_that_changed_throughout_needs_little_work() -> None:
    matcher = Matcher(lock("1.0"), lock("1.1"))
    changed = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    assert changed == [("replace", n, n + 1, n, n + 1) for n in range(1, 36_000, 4)]
    assert lines.WORK - matcher.left < 30 * 36_000


def test_anchors_are_lines_that_both_texts_have_once_in_the_same_order() -> None:
    assert lines.anchors(list("abbcde"), list("acbed")) == [(0, 0), (3, 1), (5, 3)]


def test_a_file_that_is_a_different_one_is_compared_by_line_and_told_in_short(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = (
        json.dumps({f"key{n}": n + more for n in range(150)}, indent=2) for more in (0, 1)
    )
    template = make_template({f"{TOP}/a.json": before})
    project = template.generate(tmp_path / "projects")
    (project / "a.json").write_text(after)
    shown = drydock("check", project).output
    assert shown.count("\n  key") == 100
    assert "\n  ...  50 more keys  (edited here)\n" in shown
    [drift] = json.loads(drydock("check", project, "--json").output)["drifts"]
    assert len(drift["here"]["keys"]) == 150
    monkeypatch.setattr("drydock.compare.WHOLE", 299)
    [drift] = json.loads(drydock("check", project, "--json").output)["drifts"]
    assert drift["here"]["keys"] is None
    assert drift["here"]["added"] == 150


def test_hostile_files_are_compared_and_merged(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    texts = ["".join(hostile(seed)) for seed in (1, 2, 3)]
    template = make_template({f"{TOP}/a.txt": texts[0]})
    project = template.generate(tmp_path / "projects")
    (project / "a.txt").write_text(texts[1])
    commit(project)
    template.commit({f"{TOP}/a.txt": texts[2]})
    shown = drydock("check", project)
    assert "conflict  a.txt  +36000 -36000 here, +36000 -36000 upstream" in shown.output
    assert drydock("diff", project).output.count("\n@@ ") == 2
    assert drydock("diff", project, "--patch").exit_code == 0


def test_edits_that_are_too_many_are_not_merged_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    base = [f"{n}\n" for n in range(8)]
    ours = [f"mine {n}\n" if n % 4 == 0 else line for n, line in enumerate(base)]
    theirs = [f"theirs {n}\n" if n % 4 == 2 else line for n, line in enumerate(base)]
    merged = merged_by_line(base, ours, theirs)
    assert merged is not None
    assert merged[0].count("mine") == merged[0].count("theirs") == 2
    monkeypatch.setattr("drydock.merge.WORK", 3)
    assert merged_by_line(base, ours, theirs) is None


def test_git_that_takes_too_long_is_ended_and_the_conflict_stays(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = make_template({f"{TOP}/a.txt": "a\nb\nc\n"})
    project = template.generate(tmp_path / "projects")
    (project / "a.txt").write_text("mine\nb\nc\n")
    commit(project)
    template.commit({f"{TOP}/a.txt": "a\nb\ntheirs\n"})
    run = subprocess.run

    def slow(command: list[str], **options: Any) -> Any:  # noqa: ANN401
        if "merge-tree" in command:
            raise subprocess.TimeoutExpired(command, 1)
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", slow)
    shown = drydock("check", project).output
    assert "conflict  a.txt" in shown
    assert "Whether conflicts merge cleanly is not known. git merge-tree: was ended" in shown
    refused = drydock("update", project)
    assert refused.exit_code == 2
    assert "git merge-tree: was ended after 300 seconds" in refused.stderr
    assert (project / "a.txt").read_text() == "mine\nb\nc\n"


def numbered(who: str, numbers: range) -> str:
    """Return a text of a hundred lines, in which those of some numbers are somebody's."""
    return "".join(f"{who if n in numbers else 'base'} {n}\n" for n in range(100))


@pytest.mark.parametrize(
    ("ours", "theirs", "state", "asked"),
    [
        (range(100), range(100), "conflict", 0),
        (range(60), range(40, 100), "conflict", 0),
        (range(49), range(51, 100), "merges cleanly", 1),
        (range(20), range(20), "conflict", 1),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_both_sides_made_again_is_a_conflict_without_a_long_look(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    ours: range, theirs: range, state: str, asked: int, end: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("drydock.merge.WHOLE", 80)
    template = make_template({f"{TOP}/a.txt": numbered("", range(0))})
    project = template.generate(tmp_path / "projects")
    (project / "a.txt").write_text(numbered("ours", ours), newline=end)
    commit(project)
    template.commit({f"{TOP}/a.txt": numbered("theirs", theirs)})
    trees = []

    def counted(*sides: Tree) -> Any:  # noqa: ANN401
        trees.append(sides)
        return merge_trees(*sides)

    monkeypatch.setattr("drydock.merge.merge_trees", counted)
    [drift] = json.loads(drydock("check", project, "--json").output)["drifts"]
    assert (drift["state"], len(trees)) == (state, asked)
    assert drydock("update", project).exit_code == (state == "conflict")


def test_the_keys_of_what_both_sides_made_again_are_not_merged(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = make_template({f"{TOP}/a.env": "A=1\nB=1\n"})
    project = template.generate(tmp_path / "projects")
    (project / "a.env").write_text("A=2\nB=1\n")
    commit(project)
    template.commit({f"{TOP}/a.env": "A=1\nB=2\n"})
    assert "merges cleanly  a.env" in drydock("check", project).output
    monkeypatch.setattr("drydock.merge.WHOLE", 1)
    assert "conflict  a.env" in drydock("check", project).output
    assert drydock("update", project).exit_code == 1
