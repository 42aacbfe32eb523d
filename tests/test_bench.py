"""The benchmark of generation: its verdicts, and what it says about a peer that it cannot fetch."""

from pathlib import Path

import pytest
from generation import OURS, PEERS, UNIT, clone, report
from serving import Failure

PEER = "wemake-django-template"
SECONDS = {UNIT: [1.0, 2.0, 1.0], OURS: [2.0, 4.0, 2.0], PEER: [3.0, 6.0, 3.0]}


@pytest.mark.parametrize(
    ("slower", "verdicts"),
    [
        pytest.param({}, ["ok", "ok"], id="within the limits"),
        pytest.param({UNIT: [0.7, 1.4, 0.7]}, ["MISSED", "ok"], id="2.86 times the empty template"),
        pytest.param({PEER: [2.0, 4.0, 2.0]}, ["ok", "MISSED"], id="as slow as a peer"),
        # One disturbed round of three.
        pytest.param({PEER: [3.0, 1.0, 3.0]}, ["ok", "ok"], id="a peer that was faster once"),
    ],
)
def test_a_missed_limit_is_named_and_fails(
    slower: dict[str, list[float]], verdicts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    missed = report(SECONDS | slower, dict.fromkeys(SECONDS, 1), {PEER: "abc1234"})
    _, unit, *rows = capsys.readouterr().out.splitlines()
    assert unit.startswith(UNIT)
    assert [row.split()[-1] for row in rows] == verdicts
    assert missed == ("MISSED" in verdicts)


def test_a_peer_that_is_not_there_is_a_failure_with_gits_reason(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="does not exist"):
        clone(PEERS[PEER], str(tmp_path / "nowhere"), tmp_path / "clone")
