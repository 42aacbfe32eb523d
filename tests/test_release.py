"""What may be released: a tag that matches the version and the changelog."""

from pathlib import Path

import pytest

from tools.release import notes, section

CHANGELOG = """\
# Changelog

## Unreleased

- Later.

## 1.10.0

### Added

- A choice.

## [1.1.0] - 2026-01-02

- A fault.

## 1.0.0 (2025-12-24)

## 0.9.0

- The start.
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a folder with the files that the script reads."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nversion = "1.10.0"\nurls.Repository = "https://github.com/me/it"\n'
    )
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("1.10.0", "### Added\n\n- A choice."),
        ("1.1.0", "- A fault."),
        ("0.9.0", "- The start."),
        ("1.0.0", ""),
        ("1.10", ""),
        ("1110.0", ""),
    ],
)
def test_section_of_a_version(version: str, text: str) -> None:
    assert section(CHANGELOG, version) == text


def test_the_notes_are_the_section(repository: Path) -> None:
    assert notes("v1.10.0", repository) == "### Added\n\n- A choice."


@pytest.mark.parametrize("tag", ["1.10.0", "v1.10.1", "v1.1.0"])
def test_a_tag_that_is_not_the_version_is_refused(repository: Path, tag: str) -> None:
    with pytest.raises(ValueError, match=f"The tag is {tag}, but the version .* is 1.10.0"):
        notes(tag, repository)


def test_a_version_that_the_changelog_does_not_know_is_refused(repository: Path) -> None:
    (repository / "pyproject.toml").write_text('[project]\nversion = "1.0.0"\n')
    with pytest.raises(ValueError, match="nothing below a heading"):
        notes("v1.0.0", repository)


def test_a_release_has_the_address_of_its_repository(repository: Path) -> None:
    assert notes("v1.10.0", repository, "me/it")
    with pytest.raises(ValueError, match="make address REPOSITORY=you/it"):
        notes("v1.10.0", repository, "you/it")
