"""The context that a template is rendered with, from its cookiecutter.json and recorded answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateError

from drydock.errors import DrydockError
from drydock.tree import Tree

NAME = "cookiecutter.json"


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """All of the template's variables, and what was done to the recorded answers to get them.

    `variables` is what templates know as `cookiecutter`; `notes` are sentences for the user; `new` are the
    questions that the record does not answer.
    """

    variables: dict[str, Any]
    notes: tuple[str, ...]
    new: tuple[str, ...] = ()

    @property
    def public(self) -> dict[str, Any]:
        """The answers alone, as a record has them."""
        return {name: value for name, value in self.variables.items() if name[0] != "_"}


def questions(template: Tree, where: str) -> dict[str, Any]:
    """Return the cookiecutter.json of a template's tree; DrydockError if it is not valid."""
    file = template.get(NAME)
    if file is None:
        raise DrydockError(
            f"{where}: has no {NAME}, so it is not a cookiecutter template. If the template is "
            "in a folder of the repository, set `directory` in the record to it."
        )
    try:
        data = json.loads(file.data)
    except (ValueError, RecursionError) as error:
        raise DrydockError(f"{where}: {NAME} is not JSON: {error}.") from None
    if not isinstance(data, dict) or not all(data):
        raise DrydockError(f"{where}: {NAME} is not a JSON object that maps names to values.")
    return data


def migrated(
    recorded: Mapping[str, Any], raw: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Convert recorded answers to the names and choices that a template has now.

    Its `_migrations` say how: {"renamed": {old name: new name}, "values": {name: {old: new}}}.
    Return the answers and a sentence for each that was changed.
    """
    table = raw.get("_migrations")
    table = table if isinstance(table, dict) else {}
    answers, notes = dict(recorded), []
    for old, new in dict(table.get("renamed") or {}).items():
        if old in answers and old not in raw:
            value = answers.pop(old)
            if new not in answers:
                answers[new] = value
                notes.append(f"{old} is now called {new}.")
    for name, values in dict(table.get("values") or {}).items():
        value, choices = answers.get(name), raw.get(name)
        still = isinstance(choices, list) and value in choices
        if isinstance(value, str) and isinstance(values, dict) and value in values and not still:
            answers[name] = values[value]
            notes.append(f"{name}: {value} is now {values[value]}.")
    return answers, notes


def resolve(
    environment: Environment,
    raw: Mapping[str, Any],
    recorded: Mapping[str, Any],
    where: str,
    given: Mapping[str, str] | None = None,
) -> Resolved:
    """Return the variables of a template whose cookiecutter.json is `raw`.

    Recorded answers are values, never templates; missing ones get the template's default. `given`
    answers (text, as on the command line) take precedence. DrydockError for an answer that the
    template does not accept, or a default that cannot be rendered.
    """
    answers, notes = migrated(recorded, raw)
    for name, text in (given or {}).items():
        if name.startswith("_") or name not in raw:
            known = ", ".join(key for key in raw if not key.startswith("_"))
            raise DrydockError(f"{name}: the template has no such question. It has {known}.")
        answers[name] = yes_or_no(name, text) if isinstance(raw[name], bool) else text
    gone = [name for name in answers if name not in raw]
    if gone:
        notes.append(f"The template no longer asks for {', '.join(gone)}.")

    variables: dict[str, Any] = {}
    new: list[str] = []

    def rendered(value: Any) -> Any:  # noqa: ANN401 -- JSON
        match value:
            case None | bool():
                return value
            case dict():
                return {rendered(key): rendered(item) for key, item in value.items()}
            case list():
                return [rendered(item) for item in value]
        text = str(value)
        return environment.from_string(text).render(cookiecutter=variables) if "{" in text else text

    # Like cookiecutter: strings and choices first, because dictionaries may refer to them.
    ordered = [item for item in raw.items() if item[0] != "__prompts__"]
    for name, value in sorted(ordered, key=lambda item: isinstance(item[1], dict)):
        if name.startswith("_") and not name.startswith("__"):
            variables[name] = value
            continue
        try:
            if not name.startswith("__") and name in answers:
                variables[name] = checked(name, answers[name], value, rendered, where)
                continue
            default = rendered(value)
        except (
            TemplateError,
            ArithmeticError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:
            raise DrydockError(
                f"{where}: the default of {name} cannot be rendered: {error}"
            ) from None
        if isinstance(value, list) and not name.startswith("__"):
            if not default:
                raise DrydockError(f"{where}: {name} has no choices.")
            default = default[0]
        variables[name] = default
        if recorded and not name.startswith("__"):
            new.append(name)
            notes.append(f"{name} is a new question; the template's default is {default!r}.")
    in_order = {name: variables[name] for name in raw if name in variables}
    return Resolved(variables=in_order, notes=tuple(notes), new=tuple(new))


def checked(name: str, answer: Any, value: Any, rendered: Any, where: str) -> Any:  # noqa: ANN401
    """Return the answer; if the question has choices, it must be one of them."""
    if not isinstance(value, list):
        return answer
    choices = rendered(value)
    if answer in choices:
        return answer
    raise DrydockError(
        f"{name}: {answer!r} is not a choice in {where}. Its choices: "
        f"{', '.join(map(str, choices))}. Choose one with --set {name}=..."
    )


def yes_or_no(name: str, text: str) -> bool:
    """Return the truth value of a text, as cookiecutter reads it; DrydockError if it has none."""
    if text.lower() in ("1", "true", "t", "yes", "y", "on"):
        return True
    if text.lower() in ("0", "false", "f", "no", "n", "off"):
        return False
    raise DrydockError(f"{name}: {text!r} is neither yes nor no.")
