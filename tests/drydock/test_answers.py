"""Recorded answers are read as cookiecutter reads them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config
from hypothesis import given
from hypothesis import strategies as st

from drydock.answers import plain_text, resolve
from drydock.errors import DrydockError
from drydock.render import make_environment

DICTIONARY = {"a": "1", "b": {"c": "{{ cookiecutter.slug }}", "d": True}, "e": ["x"]}


def read(questions: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of a template for recorded answers."""
    environment = make_environment(questions, "t")
    return resolve(environment, copy.deepcopy(questions), recorded, "t").variables


@pytest.mark.parametrize(
    ("default", "answer"),
    [
        (True, "n"),
        (True, "No "),
        (False, "TRUE"),
        (False, "y"),
        (True, False),
        ("text", 3),
        ("text", True),
        ("text", None),
        (None, "text"),
        ([1, 2], 2),
        (["a", "b"], "b"),
        (DICTIONARY, {}),
        (DICTIONARY, {"a": "2", "new": "n"}),
        (DICTIONARY, {"b": {"d": "no"}}),
        (DICTIONARY, {"e": ["y"], "b": {"c": "own"}}),
        (DICTIONARY, "text"),
    ],
)
def test_an_answer_is_what_cookiecutter_makes_of_it(
    default: object, answer: object, tmp_path: Path
) -> None:
    questions = {"slug": "site", "question": default}
    path = tmp_path / "cookiecutter.json"
    path.write_text(json.dumps(questions))
    context = generate_context(str(path), extra_context={"question": copy.deepcopy(answer)})
    assert read(questions, {"question": answer}) == prompt_for_config(context, no_input=True)


@pytest.mark.parametrize(
    ("default", "answer", "said"),
    [
        (False, "perhaps", "question: 'perhaps' is neither yes nor no"),
        ({"a": {"b": True}}, {"a": {"b": "perhaps"}}, "default of question cannot be rendered"),
        (["y", "n"], True, "question: True is not a choice"),
        (["y", "n"], ["y"], r"question: \['y'\] is not a choice"),
    ],
)
def test_an_answer_that_cookiecutter_does_not_accept_is_refused(
    default: object, answer: object, said: str
) -> None:
    with pytest.raises(DrydockError, match=said):
        read({"question": default}, {"question": answer})


def test_private_dictionaries_are_there_for_every_question() -> None:
    questions = {"slug": "site", "__names": {"a": "{{ cookiecutter.slug }}"}}
    found = read({**questions, "name": "{{ cookiecutter.__names.a }}-x"}, {})
    assert found["name"] == "site-x"


def test_what_is_random_or_of_the_day_is_as_it_was_recorded() -> None:
    questions = {
        "slug": "site",
        "__id": "{{ random_ascii_string(8) }}",
        "__year": "{% now 'utc', '%Y' %}",
        "__names": {"key": ["{{ uuid4() }}"]},
        "__title": "{{ cookiecutter.slug|title }} {{ cookiecutter.__year }}",
        "_list": ["new"],
    }
    recorded = {
        "slug": "shop",
        "__id": "abc",
        "__year": "1999",
        "__names": {"key": ["x"]},
        "__title": "Site 1998",
        "_list": ["old"],
    }
    expected = {**recorded, "__title": "Shop 1999", "_list": ["new"]}
    assert read(questions, recorded) == expected


def test_a_dictionary_is_given_as_json() -> None:
    questions = {"map": {"a": "1", "b": "2"}}
    environment = make_environment(questions, "t")
    found = resolve(environment, questions, {}, "t", {"map": '{"b": "3"}'})
    assert found.public["map"] == {"a": "1", "b": "3"}
    for text in ("x", "[]"):
        with pytest.raises(DrydockError, match="is not a JSON object"):
            resolve(environment, questions, {}, "t", {"map": text})


@pytest.mark.parametrize(
    "migrations",
    [
        1,
        ["a"],
        {"renamed": ["a"]},
        {"renamed": {"a": ["b"]}},
        {"values": {"a": "b"}},
        {"values": 1},
    ],
)
def test_malformed_migrations_are_refused(migrations: object) -> None:
    with pytest.raises(DrydockError, match="_migrations is not in the form"):
        read({"slug": "x", "_migrations": migrations}, {"a": "x"})


CHECKED = {
    "slug": "site",
    "database": ["sqlite", "mysql"],
    "cache": ["locmem", "redis"],
    "debug": False,
    "__checked_slug": "{% if ' ' in cookiecutter.slug %}{{ {}.pop('slug has no spaces') }}{% endif %}",
    "_refused": {
        "database=sqlite, cache=redis": "no server",
        "database=sqlite, debug=True": "no",
    },
}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"slug": "my site"}, "__checked_slug refuses these answers, or cannot be rendered: slug has no spaces"),
        ({"cache": "redis"}, "t: does not accept database=sqlite, cache=redis: no server"),
        ({"debug": "yes"}, "does not accept database=sqlite, debug=True: no"),
        ({"database": "postgresql"}, "'postgresql' is not a choice"),
        ({"cache": "redis", "database": "mysql", "slug": "my-site"}, None),
        ({"slug": "other"}, None),
    ],
)  # fmt: skip
def test_new_answers_that_the_template_does_not_accept_are_refused(
    answers: dict[str, str], words: str | None
) -> None:
    environment = make_environment(CHECKED, "t")
    recorded = {"slug": "site", "database": "sqlite", "cache": "locmem"}
    if words is None:
        resolve(environment, copy.deepcopy(CHECKED), recorded, "t", answers)
        return
    with pytest.raises(DrydockError) as caught:
        resolve(environment, copy.deepcopy(CHECKED), recorded, "t", answers)
    assert words in str(caught.value)


def test_what_was_recorded_before_it_was_refused_is_still_read() -> None:
    recorded = {"database": "sqlite", "cache": "redis"}
    assert read(CHECKED, recorded)["cache"] == "redis"
    environment = make_environment(CHECKED, "t")
    resolve(environment, copy.deepcopy(CHECKED), recorded, "t", {"slug": "new"})


@pytest.mark.parametrize(
    "options",
    [{}, {"newline_sequence": "\r\n"}, {"line_statement_prefix": "a", "trim_blocks": True}],
)
@given(text=st.text(st.sampled_from("ab \r\n{}%#"), max_size=12))
def test_a_text_without_anything_to_render_is_what_jinja_makes_of_it(
    options: dict[str, Any], text: str
) -> None:
    environment = make_environment({"_jinja2_env_vars": options}, "t")
    plain = plain_text(environment, text)
    assert plain is None or plain == environment.from_string(text).render()
    assert plain is not None or {*text} & {*"{a"}
