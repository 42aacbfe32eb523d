"""What the documents show is what the command prints, and what they name is this repository."""

import re
from pathlib import Path

import pytest

from tests.support.catalogue import ROOT
from tests.support.commands import succeed
from tools.address import mentioned, repository
from tools.captures import BLOCK, DOCUMENTS, capture

NAMES = re.compile(r"(?:github\.com/|\bgh:|--repo )([\w.-]+/django-drydock)")


def steady(report: str) -> str:
    """Return a report without what changes with every commit of the template: hashes and numbers of files."""
    return re.sub(r"\b[0-9a-f]{8}\b|\d+(?= files compared| same,)", "...", report)


def test_the_captured_report_is_what_the_command_prints() -> None:
    report = steady(capture())
    assert "services.redis.image" in report
    for name in DOCUMENTS:
        captured = BLOCK.findall((ROOT / name).read_text("utf-8"))
        assert [steady(text) for text in captured] == [report], f"{name}: make captures"


def test_every_document_has_the_address_in_pyproject() -> None:
    texts = mentioned(ROOT, "django-drydock")
    names = {name.removesuffix(".git") for text in texts.values() for name in NAMES.findall(text)}
    assert names - {"you/django-drydock"} == {repository()}


def test_the_address_is_changed_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project.urls]\nRepository = "https://github.com/ORG/it"\n'
    )
    text = "gh:{0} and git+https://github.com/{0}.git, {0}; not x{0}, {0}-2 or a/{0}.\n"
    (tmp_path / "README.md").write_text(text.format("ORG/it"))
    succeed("git", "init", "--quiet", cwd=tmp_path)
    succeed("git", "add", "--all", cwd=tmp_path)
    monkeypatch.setattr("tools.address.ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["address.py", "me/it"])
    from tools import address

    address.main()
    assert repository(tmp_path) == "me/it"
    changed = "gh:{0} and git+https://github.com/{0}.git, {0}; not x{1}, {1}-2 or a/{1}.\n"
    assert (tmp_path / "README.md").read_text() == changed.format("me/it", "ORG/it")
    monkeypatch.setattr("sys.argv", ["address.py", "https://github.com/me/it"])
    with pytest.raises(SystemExit, match="another address"):
        address.main()
