"""The commands that a project's documents give: a test runs each, or the reason is written down."""

import re
from pathlib import Path

import pytest

from tests.support.catalogue import CATALOGUE, CHOICES, COMBINATIONS, ROOT
from tests.support.choices import label
from tests.support.documents import ELSEWHERE, ON_A_SERVER, OWN, REASONS, commands, documented
from tests.support.projects import Bake

BLOCK = re.compile("(?ms)^```sh\n.*?^```$")


def is_a_test(place: str) -> bool:
    """Tell whether a value of a table names a test."""
    return "::" in place


PATTERNS = [*ON_A_SERVER, *ELSEWHERE, *REASONS]


@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_every_command_is_run_by_a_test_or_has_a_reason(
    answers: dict[str, str], bake: Bake
) -> None:
    given = documented(bake(**answers))
    assert len(given) > 20
    assert [c for c in given if not any(re.fullmatch(p, c) for p in PATTERNS)] == []


def test_no_pattern_is_left_over(bake: Bake) -> None:
    given = {command for answers in COMBINATIONS for command in documented(bake(**answers))}
    parts = [part for pattern in PATTERNS for part in re.split(r"\|(?![^(]*\))", pattern)]
    assert [part for part in parts if not any(re.fullmatch(part, c) for c in given)] == []


@pytest.mark.parametrize("place", sorted({*ELSEWHERE.values(), *filter(is_a_test, OWN.values())}))
def test_the_tests_that_run_them_exist(place: str) -> None:
    path, _, name = place.partition("::")
    assert re.search(rf"(?m)^ *def {name}\(", Path(ROOT / "tests" / path).read_text("utf-8"))


def test_commands_are_found_in_blocks_and_in_sentences() -> None:
    text = (
        "Run `make x` or `this`.\n\n```sh\nA=1\nmake y NAME=b    # why\n\n# only a comment\n```\n"
    )
    assert commands(text) == ["make x", "make y NAME=b"]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_every_block_of_the_readme_is_run_by_a_test_or_has_a_reason(name: str) -> None:
    blocks = BLOCK.findall((ROOT / name).read_text("utf-8"))
    found = [command for block in blocks for command in commands(f"{block}\n")]
    assert [next((p for p in OWN if re.fullmatch(p, c)), c) for c in found] == [*OWN]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_development_and_production_are_blocks_of_their_own(name: str) -> None:
    blocks = BLOCK.findall((ROOT / name).read_text("utf-8"))
    assert [block for block in blocks if "compose up" in block and "make deploy" in block] == []
    # In one folder, a second block would turn production into development.
    assert not [block for block in blocks if block.count("docker compose") > 1]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_readme_names_every_version_and_choice_of_the_catalogue(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for group in ("_databases", "_caches"):
        for entry in CATALOGUE[group].values():
            if image := entry["image"]:
                assert f"{entry['label']} {image.partition(':')[2]}" in text
    for version, entry in CATALOGUE["_django_versions"].items():
        assert f"Django {version}" in text
        assert entry["requires_python"].removeprefix(">=") in text
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| \S+ \| (.*) \|$", text))
    for question, values in CHOICES.items():
        if isinstance(CATALOGUE[question], list):
            assert [v for v in values if v not in rows[question]] == []
