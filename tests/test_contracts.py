"""Every choice provides what its kind must provide; what is left out is named."""

import copy
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.catalogue import CATALOGUE, CHOICES, ROOT
from tests.support.commands import succeed
from tests.support.contracts import CATALOGUES, CONTRACTS, File, Key, Point, missing
from tests.support.projects import Bake

TEMPLATES = ROOT / "templates"
POINTS = [(question, point) for question, points in CONTRACTS.items() for point in points]


def name(value: object) -> str:
    """Return the name of a point for a test's id."""
    return value if isinstance(value, str) else str(value).partition(":")[0].replace(" ", "-")


def test_every_question_with_choices_has_a_contract() -> None:
    # Django's versions are releases of the same thing; the sample application is either there or not.
    assert set(CONTRACTS) == set(CHOICES) - {"django_version", "sample_app"}


def test_every_choice_keeps_its_contract() -> None:
    sentences = missing(CATALOGUE, TEMPLATES)
    assert not sentences, "\n".join(sentences)


def test_every_folder_belongs_to_a_choice() -> None:
    folders = {path.relative_to(TEMPLATES / "choices") for path in TEMPLATES.glob("choices/*/*")}
    assert {path.as_posix() for path in folders} <= {
        f"{question}/{choice}" for question, choices in CHOICES.items() for choice in choices
    }


@pytest.mark.parametrize(("question", "point"), POINTS, ids=name)
def test_what_is_left_out_is_named(question: str, point: Point, tmp_path: Path) -> None:
    catalogue: dict[str, Any] = copy.deepcopy(CATALOGUE)
    templates = tmp_path / "templates"
    shutil.copytree(TEMPLATES, templates)
    entries = CATALOGUE[CATALOGUES[question]]
    # What only servers need, the first of them needs.
    choice = next(name for name in CHOICES[question] if point.needed(entries[name]))
    match point:
        case Key():
            del catalogue[CATALOGUES[question]][choice][point.name]
        case File():
            path = templates / "choices" / question / choice / point.name
            path.write_text("") if point.pattern else path.unlink()
    (sentence, *_) = [
        line
        for line in missing(catalogue, templates)
        if point.point in line and line.startswith(f"{question}={choice} ")
    ]
    assert sentence.startswith(f"{question}={choice} lacks {point.point}: ")


def test_a_choice_without_an_entry_is_named() -> None:
    catalogue = CATALOGUE | {"cache": [*CATALOGUE["cache"], "dragonfly"]}
    # Whatever else is missing has a test of its own.
    before = missing(CATALOGUE, TEMPLATES)
    new = [line for line in missing(catalogue, TEMPLATES) if line not in before]
    assert new == ["cache=dragonfly lacks an entry in _caches"]


@pytest.mark.parametrize("choice", CHOICES["app_server"])
def test_a_graceful_stop_ends_before_compose_ends_it(choice: str, bake: Bake) -> None:
    entry = CATALOGUE["_app_servers"][choice]
    project = bake(app_server=choice)
    files = [project / "docker/entrypoint.sh", *project.glob(entry["config"] or "none")]
    setting = re.compile(rf"{re.escape(entry['graceful_stop'])}.*STOP_TIMEOUT")
    assert any(setting.search(file.read_text()) for file in files), (
        f"app_server={choice} does not set {entry['graceful_stop']} from STOP_TIMEOUT, in entrypoint.sh or its config"
    )
    added = re.search(r"STOP_TIMEOUT=.*:-30} \+ (\d+)", files[0].read_text())
    assert added
    backend = yaml.safe_load((project / "docker-compose.yml").read_text())["services"]["backend"]
    more = re.fullmatch(r"\${REQUEST_TIMEOUT:-30}s(\d+)000ms", backend["stop_grace_period"])
    assert more
    assert 0 < int(added[1]) < int(more[1])
    assert signal.Signals[entry["kill_signal"]]
    assert backend["healthcheck"]["test"][-2:] == [str(entry["health_port"]), entry["kill_signal"]]


@pytest.mark.parametrize("choice", CHOICES["app_server"])
def test_limits_of_the_machine_reach_nginx(choice: str, bake: Bake, tmp_path: Path) -> None:
    shutil.copytree(bake(app_server=choice) / "nginx", tmp_path, dirs_exist_ok=True)
    script = (tmp_path / "release.sh").read_text()
    commands = "".join(re.findall("(?m)^sed -i .*\n", script))
    env = {"UPLOAD_LIMIT": "200", "REQUEST_TIMEOUT": "90"}
    succeed("sh", "-ec", commands, cwd=tmp_path, env=env)
    assert "    client_max_body_size 200m;\n" in (tmp_path / "nginx.conf").read_text()
    changed = re.findall(r"(_read|_send)_timeout 90s;", (tmp_path / "backend.conf").read_text())
    assert changed == ["_read", "_send"]


@pytest.mark.parametrize("choice", CHOICES["app_server"])
def test_the_entrypoint_knows_the_server_by_its_process(choice: str, bake: Bake) -> None:
    program = CATALOGUE["_app_servers"][choice]["command"][0]
    cases = re.findall(
        r"(?m)^    (\S+)\)$", (bake(app_server=choice) / "docker/entrypoint.sh").read_text()
    )
    assert program in cases
