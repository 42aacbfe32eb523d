"""The benchmarks: verdicts on generation, what is said of a peer that cannot be fetched, and sums for more machines."""

from pathlib import Path

import pytest
import scale
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


def test_more_machines_take_more_until_the_database_is_full() -> None:
    mean = scale.Cost(nginx=0.2, backend=7.8, database=1.5, cache=0.5)
    rows = {(row[0], row[1]): row[2:] for row in scale.arrangements(mean, 8, 151)}
    assert len(rows) == len(scale.SIZES) * len(scale.MACHINES)
    # Of four processors, two thirds of 4,000 ms a second.
    assert rows["c7i.xlarge", 1][0] == "267"  # / 10 ms
    assert rows["c7i.xlarge", 2][0] == "333"  # / 8 ms, on one machine beside the database
    assert rows["c7i.xlarge", 100][0] == "1,333"  # / 2 ms, of the database
    assert rows["c7i.xlarge", 4][3] == "backends"
    assert rows["c7i.xlarge", 10][3] == "the database's processors, 288 connections"
    assert rows["t3.small", 1][2] == "0.043"  # 133 requests a second
