"""Reports: their JSON, and the schema that is made from the same dataclasses."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import jsonschema
import pytest

import drydock
from drydock.report.json import schema
from drydock.report.schema import schema_of, to_json

WRITE = "import json; from drydock.report.json import schema; print(json.dumps(schema(), indent=2))"


class Size(StrEnum):
    SMALL = "small"


@dataclass(frozen=True, kw_only=True)
class Part:
    number: int = field(metadata={"json_name": "count", "minimum": 1})
    secret: str = field(default="", metadata={"json_name": None})


@dataclass(frozen=True, kw_only=True)
class Whole:
    size: Size
    parts: tuple[Part, ...]
    only: Part | None


def test_the_schema_that_is_shipped_is_the_dataclasses() -> None:
    shipped = Path(drydock.__file__).with_name("schema.json").read_text()
    assert json.loads(shipped) == schema(), f"python -c '{WRITE}' >drydock/schema.json"


def test_json_has_the_names_of_the_schema_and_nothing_that_is_hidden() -> None:
    value = Whole(size=Size.SMALL, parts=(Part(number=2, secret="x"),), only=None)
    assert to_json(value) == {"size": "small", "parts": [{"count": 2}], "only": None}
    jsonschema.validate(to_json(value), schema_of(Whole))


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": "large", "parts": [], "only": None},
        {"size": "small", "parts": [{"count": 0}], "only": None},
        {"size": "small", "parts": [{"count": 1, "secret": "x"}], "only": None},
        {"size": "small", "parts": [], "only": "a part"},
        {"size": "small", "parts": []},
    ],
)
def test_a_schema_refuses_what_a_dataclass_cannot_hold(wrong: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema_of(Whole))


def test_a_type_without_a_schema_is_refused() -> None:
    @dataclass
    class Odd:
        value: bytes

    with pytest.raises(TypeError, match="bytes"):
        schema_of(Odd)
