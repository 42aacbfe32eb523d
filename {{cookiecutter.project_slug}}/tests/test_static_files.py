"""Static files, as production has them."""

from pathlib import Path

import pytest

from config.storage import StaticFilesStorage


def test_a_reference_to_a_missing_file_is_named_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "theme.js").write_text("")
    (tmp_path / "site.css").write_text("a { src: url(theme.js), url(no.png), url(../../no.png) }")
    storage = StaticFilesStorage(location=tmp_path, base_url="/static/")
    files = {name: (storage, name) for name in ("theme.js", "site.css")}
    problems = [result for *_, result in storage.post_process(files) if result is not True]
    assert problems == []
    css = (tmp_path / storage.stored_name("site.css")).read_text()
    assert f"url({storage.stored_name('theme.js')})" in css.replace('"', "")
    assert "url(no.png), url(../../no.png)" in css
    assert "site.css refers to a file that does not exist: url(no.png)" in caplog.text
    # Scripts load others by their own names.
    assert (tmp_path / "theme.js").exists()
