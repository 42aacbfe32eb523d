"""The commands that a project's documents give: a test runs each, or the reason is written down."""

import re
from pathlib import Path

import pytest

from tests.support.catalogue import COMBINATIONS, ROOT
from tests.support.choices import label
from tests.support.documents import ELSEWHERE, ON_A_SERVER, REASONS, commands, documented
from tests.support.projects import Bake

PATTERNS = [*ON_A_SERVER, *ELSEWHERE, *REASONS]


@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_every_command_is_run_by_a_test_or_has_a_reason(
    answers: dict[str, str], bake: Bake
) -> None:
    given = documented(bake(**answers))
    assert len(given) > 30
    assert [c for c in given if not any(re.fullmatch(p, c) for p in PATTERNS)] == []


def test_no_pattern_is_left_over(bake: Bake) -> None:
    given = {command for answers in COMBINATIONS for command in documented(bake(**answers))}
    parts = [part for pattern in PATTERNS for part in re.split(r"\|(?![^(]*\))", pattern)]
    assert [part for part in parts if not any(re.fullmatch(part, c) for c in given)] == []


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_the_tests_that_run_them_exist(place: str) -> None:
    path, _, name = place.partition("::")
    assert re.search(rf"(?m)^ *def {name}\(", Path(ROOT / "tests" / path).read_text("utf-8"))


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    text = (
        "Run `make x` or `this`.\n\n```sh\nA=1\nmake y NAME=b    # why\n\n# only a comment\n```\n"
    )
    assert commands(text) == ["make x", "make y NAME=b"]
