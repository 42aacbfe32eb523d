"""What the documents show is what the command prints and what a page looks like, and they name this repository."""

import re
import struct
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from tests.support.catalogue import ROOT
from tests.support.commands import program, succeed
from tools import captures
from tools.address import mentioned, repository, site
from tools.browser import BROWSERS, DRIVER, opened
from tools.captures import BLOCK, DOCUMENTS, PICTURE, SIZE, capture

NAMES = re.compile(r"(?:github\.com/|\bgh:|--repo )([\w.-]+/django-drydock)")
SITES = re.compile(r"https://[\w-]+\.github\.io/django-drydock/")


def steady(report: str) -> str:
    """Return a report without what changes with every commit of the template: hashes and numbers of files."""
    return re.sub(r"\b[0-9a-f]{8}\b|\d+(?= files compared| same,)", "...", report)


@pytest.mark.slow
def test_the_captured_report_is_what_the_command_prints() -> None:
    report = steady(capture())
    assert "services.redis.image" in report
    for name in DOCUMENTS:
        captured = BLOCK.findall((ROOT / name).read_text("utf-8"))
        assert [steady(text) for text in captured] == [report], f"{name}: make captures"


def size(picture: bytes) -> tuple[int, ...]:
    """Return the width and the height that a PNG begins with."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    return struct.unpack(">II", picture[16:24])


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_picture_is_in_the_document(name: str) -> None:
    assert f"]({PICTURE})" in (ROOT / name).read_text("utf-8")
    assert size((ROOT / PICTURE).read_bytes()) == SIZE


@pytest.mark.project
def test_the_picture_shows_a_page_with_its_charts(tmp_path: Path) -> None:
    with (
        opened(program(*BROWSERS), program(DRIVER)) as browser,
        captures.site(tmp_path) as url,
    ):
        assert size(captures.photograph(browser, url)) == SIZE
        for part in (".chart .bars", ".chart .line", ".newest strong"):
            assert browser.find_elements(By.CSS_SELECTOR, part), part
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
        assert "manage.py" not in browser.page_source
        # The readings of a fixed day: the picture changes only if the page does.
        times = browser.find_elements(By.TAG_NAME, "time")
        assert {time.get_attribute("datetime") for time in times} == {"2026-11-18T17:00:00+00:00"}


@pytest.mark.parametrize("missing", [BROWSERS, (DRIVER,)], ids=["no browser", "no driver"])
def test_without_a_browser_only_the_texts_are_captured(
    missing: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captures, "ROOT", tmp_path)
    monkeypatch.setattr(captures, "DOCUMENTS", ("README.md",))
    monkeypatch.setattr(captures, "capture", lambda: "Nothing.\n")
    monkeypatch.setattr(
        "shutil.which", lambda name: None if name in missing else f"/usr/bin/{name}"
    )
    document = tmp_path / "README.md"
    document.write_text(f"{captures.MARK}\n\n```\nBefore.\n```\n")
    with pytest.raises(SystemExit, match="apt install chromium chromium-driver"):
        captures.main()
    assert document.read_text() == f"{captures.MARK}\n\n```\nNothing.\n```\n"
    assert not (tmp_path / PICTURE).exists()


def test_every_document_has_the_address_in_pyproject() -> None:
    texts = mentioned(ROOT, "django-drydock")
    names = {name.removesuffix(".git") for text in texts.values() for name in NAMES.findall(text)}
    assert names - {"you/django-drydock"} == {repository()}
    assert {name for text in texts.values() for name in SITES.findall(text)} == {site(repository())}


def test_the_address_is_changed_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project.urls]\nRepository = "https://github.com/ORG/it"\n'
    )
    text = "gh:{0} and git+https://github.com/{0}.git, {0}; not x{0}, {0}-2 or a/{0}.\n"
    (tmp_path / "README.md").write_text(text.format("ORG/it"))
    (tmp_path / "SITE.md").write_text(
        "<https://ORG.github.io/it/ko/>, not https://ORG.github.io/it-2/\n"
    )
    succeed("git", "init", "--quiet", cwd=tmp_path)
    succeed("git", "add", "--all", cwd=tmp_path)
    monkeypatch.setattr("tools.address.ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["address.py", "me/it"])
    from tools import address

    address.main()
    assert repository(tmp_path) == "me/it"
    changed = "gh:{0} and git+https://github.com/{0}.git, {0}; not x{1}, {1}-2 or a/{1}.\n"
    assert (tmp_path / "README.md").read_text() == changed.format("me/it", "ORG/it")
    changed = "<https://me.github.io/it/ko/>, not https://ORG.github.io/it-2/\n"
    assert (tmp_path / "SITE.md").read_text() == changed
    monkeypatch.setattr("sys.argv", ["address.py", "https://github.com/me/it"])
    with pytest.raises(SystemExit, match="another address"):
        address.main()
