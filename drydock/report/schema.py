"""Dataclasses as JSON, and the JSON schema of a dataclass.

The metadata of a field are keywords of JSON Schema for its property. `json_name` is the property's name if it is not
the field's, and None for a field that is not in the JSON.
"""

from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from drydock.secrets import masked_text

NAME = "json_name"
TYPES = {str: "string", int: "integer", bool: "boolean", NoneType: "null"}


def to_json(value: Any) -> Any:  # noqa: ANN401
    """Return what `json.dumps` takes for a value: dataclasses as dictionaries, tuples as lists.

    Nothing in it is secret. What has a form without secrets of its own, `shown`, is in that form.
    """
    value = getattr(value, "shown", value)
    if is_dataclass(value):
        return {name: to_json(getattr(value, field.name)) for name, field in properties(value)}
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return masked_text(value) if isinstance(value, str) else value


def schema_of(dataclass: type, **keywords: str) -> dict[str, Any]:
    """Return the schema of a dataclass's JSON, with keywords of its own before the rest.

    TypeError for a field whose type has no schema.
    """
    definitions: dict[str, Any] = {}
    top = of_dataclass(dataclass, definitions)
    first = {"$schema": "https://json-schema.org/draft/2020-12/schema", **keywords}
    return {**first, **top, "$defs": definitions}


def properties(dataclass: Any) -> Iterator[tuple[str, Field[Any]]]:  # noqa: ANN401
    """Yield the name and the field of each property of a dataclass, or of an instance."""
    for field in fields(dataclass):
        name = field.metadata.get(NAME, field.name)
        if name is not None:
            yield name, field


def of_dataclass(dataclass: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a dataclass; those of its fields' dataclasses go into the definitions."""
    types = get_type_hints(dataclass)
    shape = {
        name: {
            **of_type(types[field.name], definitions),
            **{keyword: value for keyword, value in field.metadata.items() if keyword != NAME},
        }
        for name, field in properties(dataclass)
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [*shape],
        "properties": shape,
    }


def of_type(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """Return the schema of a type; TypeError if it is none that a report has."""
    if kind in TYPES:
        return {"type": TYPES[kind]}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": of_type(get_args(kind)[0], definitions)}
    if isinstance(kind, UnionType):
        return {"anyOf": [of_type(option, definitions) for option in get_args(kind)]}
    if is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}  # Keeps its place, before those that it needs.
            definitions[kind.__name__] |= of_dataclass(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    raise TypeError(f"{kind}: has no JSON schema here.")
