"""The context that a template is rendered with, from its cookiecutter.json and recorded answers."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import Environment

from drydock.errors import DrydockError
from drydock.secrets import is_secret_name
from drydock.tree import Tree

NAME = "cookiecutter.json"
IN_FOLDER = (
    "If the template is in a folder of the repository, name that: with --directory for the newest commit, and as "
    "`directory` in .cruft.json for the recorded one."
)
# What a default may call that gives another value each time, or each day: Jinja's and cookiecutter's own.
VARYING = frozenset({"now", "random", "random_ascii_string", "uuid4"})
LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """All of the template's variables, and what was done to the recorded answers to get them.

    `variables` is what templates know as `cookiecutter`; `notes` are sentences for the user; `new` are the
    questions that the record does not answer. `moves` are the files that the template has renamed: old path to new.
    `questions` is the template's cookiecutter.json.
    """

    variables: dict[str, Any]
    notes: tuple[str, ...]
    new: tuple[str, ...] = ()
    moves: dict[str, str] = field(default_factory=dict)
    questions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def public(self) -> dict[str, Any]:
        """The answers alone, as a record has them."""
        return {name: value for name, value in self.variables.items() if not name.startswith("_")}

    @property
    def secret(self) -> tuple[str, ...]:
        """The questions whose answers are secret: no record should have them."""
        return tuple(name for name in self.public if asks_secret(name, self.questions.get(name)))

    def recordable(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answers that a record may have. Secrets are in it as they were `before`, or not at all."""
        return without_secrets(self.public, before, self.questions)


def asks_secret(name: str, default: object) -> bool:
    """Tell whether a question is for a secret: by its name, unless it has choices or is a yes-or-no question."""
    return is_secret_name(name) and not isinstance(default, list | dict | bool)


def without_secrets(
    answers: Mapping[str, Any], before: Mapping[str, Any], questions: Mapping[str, Any]
) -> dict[str, Any]:
    """Return answers, and those inside of dictionaries, with the secrets that there were `before` and no others."""
    result: dict[str, Any] = {}
    for name, value in answers.items():
        default, old = questions.get(name), before.get(name)
        if isinstance(value, dict):
            inner = (part if isinstance(part, dict) else {} for part in (old, default))
            result[name] = without_secrets(value, *inner)
        elif not asks_secret(name, default):
            result[name] = value
        elif name in before:
            result[name] = old
    return result


def questions(template: Tree, where: str) -> dict[str, Any]:
    """Return the cookiecutter.json of a template's tree; DrydockError if it is not valid."""
    file = template.get(NAME)
    if file is None:
        raise DrydockError(
            f"{where}: has no {NAME}, so it is not a cookiecutter template. {IN_FOLDER}"
        )
    try:
        data = json.loads(file.data)
    except (ValueError, RecursionError) as error:
        raise DrydockError(f"{where}: {NAME} is not JSON: {error}.") from None
    if not isinstance(data, dict) or not all(data):
        raise DrydockError(f"{where}: {NAME} is not a JSON object that maps names to values.")
    return data


def migrated(
    recorded: Mapping[str, Any], raw: Mapping[str, Any], where: str = "the template"
) -> tuple[dict[str, Any], list[str]]:
    """Convert recorded answers to the names and choices that a template has now.

    Its `_migrations` say how: {"renamed": {old name: new name}, "values": {name: {old: new}}}.
    Return the answers and a sentence for each that was changed. DrydockError if they are in another form.
    """
    migrations = read_migrations(raw.get("_migrations"), where)
    renamed, values = migrations.renamed, migrations.values
    answers, notes = dict(recorded), []
    for old, new in renamed.items():
        if old in answers and old not in raw:
            value = answers.pop(old)
            if new not in answers:
                answers[new] = value
                notes.append(f"{old} is now called {new}.")
    for name, replaced in values.items():
        value, choices = answers.get(name), raw.get(name)
        still = isinstance(choices, list) and value in choices
        if isinstance(value, str) and value in replaced and not still:
            answers[name] = replaced[value]
            notes.append(f"{name}: {value} is now {replaced[value]}.")
    return answers, notes


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """What a template has renamed: questions, values of questions, and files."""

    renamed: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def read_migrations(table: object, where: str) -> Migrations:
    """Return what `_migrations` says; DrydockError if it is in another form."""
    parts = table if isinstance(table, dict) else {}
    renamed, values, files = (parts.get(name) or {} for name in ("renamed", "values", "files"))
    if (
        isinstance(table, dict | None)
        and all(isinstance(part, dict) for part in (renamed, values, files))
        and all(isinstance(new, str) for new in (*renamed.values(), *files.values()))
        and all(isinstance(replaced, dict) for replaced in values.values())
        and all(old.endswith("/") == new.endswith("/") for old, new in files.items())
    ):
        return Migrations(renamed=renamed, values=values, files=files)
    raise DrydockError(
        f'{where}: {NAME}: _migrations is not in the form {{"renamed": {{"old": "new"}}, '
        '"values": {"question": {"old": "new"}}, "files": {"old/path": "new/path", "old/": "new/"}}.'
    )


def resolve(
    environment: Environment,
    raw: Mapping[str, Any],
    recorded: Mapping[str, Any],
    where: str,
    given: Mapping[str, str] | None = None,
) -> Resolved:
    """Return the variables of a template whose cookiecutter.json is `raw`.

    Recorded answers are values, never templates; missing ones get the template's default. So does a private
    one, unless its default is random or of the day. `given` answers (text, as on the command line) take
    precedence. DrydockError for an answer that the template does not accept, or a default that cannot be rendered.
    """
    answers, notes = migrated(recorded, raw, where)
    for name, text in (given or {}).items():
        if name.startswith("_") or name not in raw:
            known = ", ".join(key for key in raw if not key.startswith("_"))
            raise DrydockError(f"{name}: the template has no such question. It has {known}.")
        answers[name] = object_in(name, text) if isinstance(raw[name], dict) else text
    gone = [name for name in answers if name not in raw and not name.startswith("_")]
    if gone:
        notes.append(f"The template no longer asks for {', '.join(gone)}.")

    variables: dict[str, Any] = {}
    new: dict[str, str] = {}

    def rendered(value: Any) -> Any:  # noqa: ANN401 -- JSON
        match value:
            case None | bool():
                return value
            case dict():
                return {rendered(key): rendered(item) for key, item in value.items()}
            case list():
                return [rendered(item) for item in value]
        return render_text(environment, str(value), {"cookiecutter": variables})

    def value_of(name: str, value: Any) -> Any:  # noqa: ANN401 -- JSON
        if name.startswith("__"):
            honoured = name in answers and varies(environment, value)
            return answers[name] if honoured else rendered(value)
        if name in answers:
            default = rendered(value) if isinstance(value, list | dict) else value
            return checked(name, answers[name], default, where)
        default = rendered(value)
        if isinstance(value, list):
            if not default:
                raise DrydockError(f"{where}: {name} has no choices.")
            default = default[0]
        if recorded and asks_secret(name, value):
            new[name] = ""
        elif recorded:
            new[name] = f"{name} is a new question; the template's default is {name}={default!r}."
        return default

    # Like cookiecutter: dictionaries come second, because they may refer to everything else.
    ordered = [item for item in raw.items() if item[0] != "__prompts__"]
    for second in (False, True):
        for name, value in ordered:
            if name.startswith("_") and not name.startswith("__"):
                variables[name] = value
            elif second == isinstance(value, dict) or (not second and name.startswith("__")):
                try:
                    variables[name] = value_of(name, value)
                except (DrydockError, MemoryError):
                    raise
                except Exception as error:  # whatever the template's code raises
                    reason = error.args[0] if isinstance(error, KeyError) else error
                    what = (
                        f"{name} refuses these answers, or cannot be rendered"
                        if name.startswith("__")
                        else f"the default of {name} cannot be rendered"
                    )
                    raise DrydockError(f"{where}: {what}: {reason}") from None
    in_order = {name: variables[name] for name in raw if name in variables}
    for name in given or {}:
        if why := fault(raw, name, variables[name]):
            raise DrydockError(f"{name}: {variables[name]!r} {why}.{example(raw, name)}")
    check_allowed(raw.get("_refused"), variables, given or {}, where)
    files = read_migrations(raw.get("_migrations"), where).files
    try:
        moves = {rendered(old): rendered(path) for old, path in files.items()}
    except Exception as error:  # whatever the template's code raises
        raise DrydockError(
            f"{where}: {NAME}: the files of _migrations cannot be rendered: {error}"
        ) from None
    return Resolved(
        variables=in_order,
        notes=(*notes, *filter(None, new.values())),
        new=tuple(new),
        moves=moves,
        questions=raw,
    )


def check_allowed(
    refused: object, variables: Mapping[str, Any], given: Mapping[str, str], where: str
) -> None:
    """Raise DrydockError if new answers are part of a combination that a template refuses.

    Its `_refused` says which, and why: {"database=sqlite, cache=redis": "the reason"}.
    """
    answers = {f"{name}={value}".lower() for name, value in variables.items()}
    for combination, why in refused.items() if isinstance(refused, dict) else ():
        parts = {*combination.lower().split(", ")}
        if parts <= answers and {part.partition("=")[0] for part in parts} & {*given}:
            raise DrydockError(f"{where}: does not accept {combination}: {why}")


def fault(raw: Mapping[str, Any], name: str, value: object) -> str:
    """Return what is wrong with an answer by the template's `_rules`, in words that follow it; empty if nothing is.

    The rules of a question: {"match": [[pattern, why], ...], "one_of": [variable, why], "none_of": variable}. A
    variable is a private one with words between spaces; for "none_of", with such words by why they are taken.
    DrydockError if they are in another form.
    """
    table = raw.get("_rules")
    rules = table.get(name) if isinstance(table, dict) else None
    if not isinstance(rules, dict) or not isinstance(value, str):
        return ""
    try:
        known, stranger = rules.get("one_of", ("", ""))
        taken = raw[rules["none_of"]] if "none_of" in rules else {}
        faults = [
            why for pattern, why in rules.get("match", ()) if not re.fullmatch(pattern, value)
        ]
        faults += [stranger] if known and value not in raw[known].split() else []
        faults += [why for why, words in taken.items() if value in words.split()]
    except (AttributeError, LookupError, TypeError, ValueError, re.error) as error:
        raise DrydockError(f"{NAME}: the _rules of {name} cannot be read: {error}.") from None
    return str(next(iter(faults), ""))


def example(raw: Mapping[str, Any], name: str) -> str:
    """Return a sentence with an answer that the template's `_rules` give as an example; empty if they give none."""
    given = raw["_rules"][name].get("example")
    return f" For example: {given}" if given else ""


def render_text(environment: Environment, text: str, context: Mapping[str, Any]) -> str:
    """Return a rendered text."""
    plain = plain_text(environment, text)
    return environment.from_string(text).render(context) if plain is None else plain


def plain_text(environment: Environment, text: str) -> str | None:
    """Return what Jinja makes of a text without anything to render; None if there is something.

    Such a text need not be compiled, which is slow. All of its line breaks become alike.
    """
    if marks(environment).search(text):
        return None
    return LINE_BREAK.sub(environment.newline_sequence, text)


@lru_cache(maxsize=4)
def marks(environment: Environment) -> re.Pattern[str]:
    """Return a pattern of what an environment renders."""
    starts = (
        environment.block_start_string,
        environment.variable_start_string,
        environment.comment_start_string,
        environment.line_statement_prefix,
        environment.line_comment_prefix,
    )
    return re.compile("|".join(re.escape(start) for start in starts if start))


def varies(environment: Environment, default: Any) -> bool:  # noqa: ANN401 -- JSON
    """Tell whether a default is random, or of the day, so that the recorded value cannot be made again."""
    match default:
        case str():
            tokens = environment.lex(default)
            return any(kind == "name" and word in VARYING for _, kind, word in tokens)
        case dict():
            return any(varies(environment, item) for pair in default.items() for item in pair)
        case list():
            return any(varies(environment, item) for item in default)
    return False


def checked(name: str, answer: Any, default: Any, where: str) -> Any:  # noqa: ANN401 -- JSON
    """Return an answer as cookiecutter reads it; `default` is the question's default, or its choices.

    DrydockError if it is not a choice, or not the boolean that is asked for.
    """
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        answer = str(answer)
    match default:
        case list():
            if answer in default:
                return answer
            raise DrydockError(
                f"{name}: {answer!r} is not a choice in {where}. Its choices: "
                f"{', '.join(map(str, default))}. Choose one with --set {name}=..."
            )
        case bool() if isinstance(answer, str):
            return yes_or_no(name, answer)
        case dict() if isinstance(answer, dict) and answer != default:
            from cookiecutter.generate import apply_overwrites_to_context  # Slow to import.

            apply_overwrites_to_context(default, answer, in_dictionary_variable=True)
            return default
    return answer


def yes_or_no(name: str, text: str) -> bool:
    """Return the truth value of a text, as cookiecutter reads it; DrydockError if it has none."""
    from cookiecutter.prompt import InvalidResponse, YesNoPrompt  # Slow to import.

    try:
        return bool(YesNoPrompt().process_response(text))
    except InvalidResponse:
        raise DrydockError(f"{name}: {text!r} is neither yes nor no.") from None


def object_in(name: str, text: str) -> dict[str, Any]:
    """Return the dictionary that a text holds as JSON; DrydockError if it holds none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise DrydockError(f'{name}: {text!r} is not a JSON object such as {{"key": "value"}}.')
    return value
