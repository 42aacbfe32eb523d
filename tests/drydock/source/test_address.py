"""What a template's name stands for, and how its address is shown."""

from pathlib import Path

import pytest

from drydock.errors import DrydockError
from drydock.source.address import expand, hidden, is_archive, without_credentials

KEY = "hunter2"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gh:owner/name", "https://github.com/owner/name.git"),
        ("gl:owner/name", "https://gitlab.com/owner/name.git"),
        ("bb:owner/name", "https://bitbucket.org/owner/name"),
        ("git+https://host/x.git", "https://host/x.git"),
        ("git@host:owner/x.git", "git@host:owner/x.git"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("/some/where", "/some/where"),
    ],
)
def test_names_are_expanded(name: str, expected: str) -> None:
    assert expand(name) == expected


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert expand("template") == str(tmp_path / "template")


def test_a_relative_path_starts_at_a_base(tmp_path: Path) -> None:
    assert expand("../template", tmp_path / "project") == str(tmp_path / "template")
    assert expand("/template", tmp_path) == "/template"


@pytest.mark.parametrize("name", ["nul\0", "~nobody-of-that-name/x"])
def test_what_is_no_path_is_an_error(name: str) -> None:
    with pytest.raises(DrydockError, match="is not a path"):
        expand(name)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (f"see https://me:{KEY}@host/x", "see https://host/x"),
        (f"https://{KEY}@host/x", "https://host/x"),
        (f"'https://me:{KEY}@host/x/': bad", "'https://host/x/': bad"),
        (f"https://me:a@{KEY}@host/x", "https://host/x"),
        (f"https://me:a/{KEY}@host/x", "https://host/x"),
        (f"https://me:{KEY}@host:88/@scope/x", "https://host:88/@scope/x"),
        (f"https://proxy/https://me:{KEY}@host/x", "https://proxy/https://host/x"),
        (f"https://proxy/me:{KEY}@host/x", "https://proxy/host/x"),
        (f"ssh://me:{KEY}@host:22/x", "ssh://me@host:22/x"),
        (f"git+ssh://me:{KEY}@host/x", "git+ssh://me@host/x"),
        (f"me:{KEY}@host:path", "me@host:path"),
        (f"https://host/x.zip?token={KEY}", "https://host/x.zip"),
        (f"https://host/x?private_token={KEY}&sha=main", "https://host/x?sha=main"),
        (f"https://host/x?sha=main&X-Amz-Signature={KEY}#top", "https://host/x?sha=main#top"),
    ],
)
def test_credentials_are_taken_out_of_urls(shown: str, expected: str) -> None:
    assert without_credentials(shown) == expected


@pytest.mark.parametrize(
    "plain",
    [
        "ssh://git@host/x",
        "git@host:owner/x.git",
        "https://host:8080/@scope/x.git",
        "https://host/x.zip?sha=main",
        "file:///home/a@b/x",
        "/home/a@b/x",
    ],
)
def test_an_address_without_credentials_stays_as_it_is(plain: str) -> None:
    assert without_credentials(plain) == plain


@pytest.mark.parametrize(
    "url", [f"ssh://me:{KEY}@host/x", f"me:{KEY}@host:x", f"https://host/x.zip?token={KEY}"]
)
def test_what_a_program_says_of_a_url_hides_its_credentials(url: str) -> None:
    said = f"{url}: refused; me:{KEY}@host: Permission denied; token {KEY}"
    assert KEY not in hidden(said, url)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("/a/b.ZIP", True),
        (f"https://host/x.zip?token={KEY}", True),
        ("https://host/x.git?archive=.zip", False),
        ("git@host:x", False),
    ],
)
def test_an_archive_is_told_by_its_name(place: str, expected: bool) -> None:
    assert is_archive(place) is expected
