"""What is not compared: what cruft skips, by cruft's own meaning."""

import json
from pathlib import Path

import pytest
from cruft._commands.utils.generate import _get_skip_paths, _remove_paths

from drydock.errors import DrydockError
from drydock.policy import is_skipped, read_policy
from tests.support.templates import Drydock

PATHS = [
    "a.md",
    "docs/a.md",
    "docs/x/b.md",
    "docs/x/y/c.txt",
    "src/docs/a.md",
    ".env",
    "src/.env",
    "!a.md",
    "[x].md",
]
SKIPS = [
    "a.md", "docs", "docs/", "./docs", "docs/x", "docs/*", "docs/*.md", "*.md", "**/*.md", "**/a.md", "docs/**",
    "**/docs", "*/x", "*", "**", ".", ".env", "*.env", "**/.env", "!a.md", "[x].md", "[a]*", "?.md", "docs/**/c.txt",
    "/docs", "nothing", "x", "**/x/**/*.txt",
]  # fmt: skip


@pytest.mark.parametrize("skip", SKIPS)
def test_skip_means_what_it_means_to_cruft(skip: str, tmp_path: Path) -> None:
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    if not skip.startswith("/"):  # cruft would delete that folder of the machine.
        _remove_paths(tmp_path, _get_skip_paths({"skip": [skip]}, tmp_path / "pyproject.toml"))
    kept = [path for path in PATHS if (tmp_path / path).exists()]
    assert [path for path in PATHS if not is_skipped((skip,), path)] == kept


@pytest.mark.parametrize("skip", ["a**b", "", "..", "../a.md", "nul\0", "[", "**/" * 40 + "x"])
def test_an_odd_pattern_is_no_error(skip: str) -> None:
    assert is_skipped((skip,), "docs/a.md") is (skip == "")


def test_what_cruft_skips_in_pyproject_is_skipped(drydock: Drydock, project: Path) -> None:
    record = project / ".cruft.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "skip": ["run.sh"]}))
    for name in ("README.md", "run.sh", "my.cnf"):
        (project / name).write_text("mine\n")
    (project / "pyproject.toml").write_text('[tool.cruft]\nskip = ["*.md"]\n')
    (project / ".drydock.toml").write_text('ignore = ["my.cnf"]\n')
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    assert "1 files compared" in result.output
    (project / "docker-compose.yml").unlink()
    assert drydock("check", project).exit_code == 1


@pytest.mark.parametrize(
    "text", ["[tool.cruft]\nskip = 1\n", "[tool.cruft]\nskip = [1]\n", "tool = {"]
)
def test_what_cruft_could_not_read_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(
        DrydockError, match=r"pyproject.toml: (tool.cruft.skip is not|cannot be read)"
    ):
        read_policy(tmp_path)
