"""What a structured file means: a change counts as form only where that is proved."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from drydock import formats
from drydock.compare import compare
from drydock.formats import FORMATS, Document, parse
from drydock.policy import Policy
from drydock.tree import File

CASES = json.loads((Path(__file__).parent / "cases/keys.json").read_text())


def verdict(path: str, before: str, after: str) -> str:
    """Return what the comparison says about an edit: form, value or problem."""
    base, here = ({path: File(data=text.encode())} for text in (before, after))
    (drift,) = compare(base, base, here, Policy()).drifts
    assert drift.here
    return "problem" if drift.here.problem else "form" if drift.form_only else "value"


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_an_edit_is_what_it_is(case: dict[str, str]) -> None:
    found = verdict(case["path"], case["before"], case["after"])
    assert found == case["want"] or (case["want"] == "ok" and found != "problem")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.yml", "a: 1\nb: [x, y]\n", "# why\nb:\n  - x\n  - y\na:   1\n"),
        ("a.yml", "a: text", 'a: "text"'),
        ("a.yml", "a: {b: ~}", "a:\n  b:"),
        ("a.toml", "a = 1\nb = 2", "b = 2 # x\r\na = 1"),
        ("a.toml", "a = [1, 2]", "a = [\n  1, # one\n  2,\n]"),
        ("a.json", '{"a": 1, "b": {}}', '{"b": {},\n "a": 1}'),
        ("tsconfig.json", '{"a": [1, "//"]}', '{/* b */ "a": [1, "//",], }'),
        ("a.ini", "[a]\nx=1\ny = 2", "[a]\n; c\ny=2\nx = 1\n"),
        ("setup.cfg", "[a]\nx = 1", "[a] # c\nx: 1"),
        ("a.conf", "a 1; b { }", "# c\na   1;\nb {\n}"),
        ("Dockerfile", "FROM a\nRUN x   y", "# c\nFROM a\nrun x \\\n  # c\n  y"),
        (".env", "A=1\nB=2", "# c\nB=2\n\n  export A='1'\n"),
        ("requirements.txt", "a==1\nb>=2,<3", "b >= 2,<3 # why\nA==1"),
        (
            "requirements.txt",
            "a>=2,<3; python_version<'3.12'",
            'a <3,>=2 ; python_version < "3.12"',
        ),
        ("requirements.txt", "a-b[x_y,z]==1", "A_b[z, X-y] ==1"),
        (".dockerignore", "a\nb", "# c\na  \n\nb\n"),
        ("a.py", "a\n", "a\n\n"),
        ("README.md", "a\n", "a"),
        ("my.cnf", "[a]\nx = 1\ny = 2", "[a]\ny = 2\nx = 1"),
        ("a.yml", "# why\na: 1", "a: 1"),
        ("a.yml", "# yaml-language-server: $schema=x\na: 1", "a: 1"),
    ],
)
def test_comments_layout_and_the_order_of_mappings_are_form(
    path: str, before: str, after: str
) -> None:
    assert verdict(path, before, after) == "form"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.yml", "a: on", 'a: "on"'),
        ("a.yml", "a: 0o14", 'a: "0o14"'),
        ("a.yml", "a: 0o14", "a: !!str 0o14"),
        ("a.yml", "a: 2024-01-01", 'a: "2024-01-01"'),
        ("a.yml", "1: a", '"1": a'),
        ("a.yml", "a: !x 1", "a: 1"),
        ("a.yml", 'a: "*x"', "a: &x y\nb: *x"),
        ("a.yml", "a: [[1, 2]]", "a: [[1], [2]]"),
        ("a.yml", "a: [{x: 1}, 2]", "a: [2, {x: 1}]"),
        ("a.yml", "a: [{name: 0, x: 1}]", "a: [{x: 1, name: '0'}]"),
        ("a.yml", "a: 1\n---\n", "a: 1\n"),
        ("a.json", '{"a": 1.0}', '{"a": 1}'),
        ("a.json", '{"a": 1, "a": 2}', '{"a": 2, "a": 1}'),
        ("a.json", '{"a": "1"}', '{"a": "\\"1\\""}'),
        ("tsconfig.json", '{"a": "// b"}', '{"a": ""}'),
        ("a.toml", "a = [[1], []]", "a = [[], [1]]"),
        ("a.toml", "a = 07:32:00", 'a = "07:32:00"'),
        ("uwsgi.ini", "[uwsgi]\na = 1\nb = 2", "[uwsgi]\nb = 2\na = 1"),
        ("my.cnf", "[mysqld]\na:b", "[mysqld]\na=b"),
        ("a.ini", "[a]\nk", "[a]\nk ="),
        ("a.ini", "[a]\n[b]\nk = 1", "[b]\nk = 1"),
        ("haproxy.cfg", "frontend a\n  x if b\n  y if c\n", "frontend a\n  y if c\n  x if b\n"),
        ("hosts.ini", "[a]\nx\ny\n", "[a]\ny\nx\n"),
        ("hosts.ini", "[a]\nx p=1\ny p=1\n", "[a]\ny p=1\nx p=1\n"),
        (".editorconfig", "root = true\n[*]\na = 1\n[*.py]\na = 2", "root = true\n[*.py]\na = 2\n[*]\na = 1"),
        ("mypy.ini", "[mypy-a.*]\na = 1\n[mypy-*.b]\na = 2", "[mypy-*.b]\na = 2\n[mypy-a.*]\na = 1"),
        ("my.cnf", "[mysqld]\na = 1\n[server]\na = 2", "[server]\na = 2\n[mysqld]\na = 1"),
        ("a.cnf", "[a]\nb = 1\nc = $b", "[a]\nc = $b\nb = 1"),
        ("nginx/a.conf", "a { b 1; } a { c 2; }", "a { b 1; c 2; }"),
        ("nginx/a.conf", 'a "b\n c";', 'a "b c";'),
        ("nginx/a.conf", "a { content_by_lua_block { x = #t } }", "a { content_by_lua_block { x = #s } }"),
        ("Dockerfile", "FROM a\nENV A=1 B=$A", "FROM a\nENV A=1\nENV B=$A"),
        ("Dockerfile", 'FROM a\nENV A="b  c"', 'FROM a\nENV A="b c"'),
        ("Dockerfile", "FROM a\nENV A b  c=d", "FROM a\nENV A b  c=e"),
        ("Dockerfile", 'FROM a\nRUN echo "a  b"', 'FROM a\nRUN echo "a b"'),
        ("Dockerfile", "FROM a\nRUN echo 'a \\\n  b'", "FROM a\nRUN echo 'a b'"),
        ("Dockerfile", "FROM a\nRUN cat <<A <<B\n1\nA\n2\nB", "FROM a\nRUN cat <<A <<B\n1\nA\n3\nB"),
        ("Dockerfile", "FROM a\nLABEL a=b\\ c", "FROM a\nLABEL a=b\\ d"),
        ("Dockerfile", "# escape=`\nFROM a", "FROM a"),
        (".env", "A=\nB=$A", "B=$A\nA="),
        (".env", "A='$B'", 'A="$B"'),
        (".env", "A=1\n", "A=1 # b\n"),
        (".env", "A=1", "A=1\r"),
        (".env", "A=1", "A= 1"),
        (".env", "A=1", "A =1"),
        (".env", "A=1", "A=1 "),
        (".env", "A=1", "A: 1"),
        (".env", "A=export A=1", "export A=1"),
        (".env", "A=`b`\nB=2", "B=2\nA=`b`"),
        ("requirements.txt", "a; python_version < '3.12'", "a"),
        ("requirements.txt", "-e ./a\n-e ./b", "-e ./b\n-e ./a"),
        ("requirements.txt", "a[x]", "a"),
        ("requirements.txt", "a @ https://b/1.whl", "a @ https://b/2.whl"),
        ("requirements.txt", "a==1 --config-settings 'b=1'", "a==1 --config-settings 'b=2'"),
        ("requirements.txt", "./a  b.whl", "./a b.whl"),
        ("requirements.txt", "a; " + "(" * 5000, "b; " + "(" * 5000),
        (".gitignore", " a", "a"),
        ("requirements.txt", "# x \\\na==1", "# x \\\na==2"),
        ("Dockerfile", "FROM a\nRUN cat <<E-F\n# 1\nE-F", "FROM a\nRUN cat <<E-F\n# 2\nE-F"),
        ("Dockerfile", "FROM a\nRUN cat >x<<E\n# 1\nE", "FROM a\nRUN cat >x<<E\n# 2\nE"),
        (".gitignore", "a\\ ", "a\\"),
        (".gitignore", "a\\  ", "a\\"),
        (".gitignore", "a\t", "a"),
        ("README.md", "a  \nb", "a\nb"),
        ("crontab", "* * * * * root x\n", "* * * * * root x"),
        ("secret.txt", "a\n", "a"),
        ("a.yml", "a: |+\n  b\n\n", "a: |+\n  b\n"),
        ("my.cnf", "[a]\nlog-bin", "[a]\nlog-bin=true"),
        ("my.cnf", "[a]\na-b=1\na_b=2", "[a]\na_b=2\na-b=1"),
        ("Dockerfile", "FROM a\nENV A two  spaces", "FROM a\nENV A two spaces"),
        ("Dockerfile", "FROM a\nENV A two  spaces=1", "FROM a\nENV A two spaces=1"),
        ("Dockerfile", "FROM a\nLABEL A two  spaces", "FROM a\nLABEL A two spaces"),
        ("package.json", '{"typesVersions": {">=4": {}, "*": {}}}', '{"typesVersions": {"*": {}, ">=4": {}}}'),
        ("package.json", '{"jest": {"moduleNameMapper": {"^a/b": "1", "^a": "2"}}}', '{"jest": {"moduleNameMapper": {"^a": "2", "^a/b": "1"}}}'),
        ("package.json", '{"jest": {"projects": [{"transform": {"b": "1", "a": "2"}}]}}', '{"jest": {"projects": [{"transform": {"a": "2", "b": "1"}}]}}'),
        ("a.yml", "#cloud-config\na: 1", "a: 1"),
        ("a.yml", "#!/usr/bin/env ansible-playbook\na: 1", "a: 1"),
        ("a.toml", "#!/usr/bin/env x\na = 1", "a = 1"),
        (".env", "#!/usr/bin/env x\nA=1", "A=1"),
        ("requirements.txt", "# -*- coding: utf-8 -*-\na==1", "a==1"),
        ("requirements.txt", "# x\n# coding: latin-1\na==1", "a==1"),
        ("a.yml", "# syntax=x\na: 1", "a: 1"),
        ("a.yml", "\ufeffa: 1", "a: 1"),
    ],
)  # fmt: skip
def test_what_may_change_the_meaning_is_no_form(path: str, before: str, after: str) -> None:
    assert verdict(path, before, after) == "value"
    assert verdict(path, after, before) == "value"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yml", "a: ["),
        ("a.toml", "a = "),
        ("a.json", "nothing"),
        ("nginx/a.conf", "a { b"),
        ("nginx/a.conf", "} a;"),
        ("Dockerfile", "RUN cat <<E\n"),
    ],
)
def test_a_broken_file_is_a_problem(path: str, text: str) -> None:
    assert parse(path, text) == Document(problem=parse(path, text).problem)
    assert parse(path, text).problem


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yml", "{" * 30000),
        ("a.yml", "a: &a [x, x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True))),
        ("a.yml", "a: &a [*a]"),
        ("a.yml", "{{- if .Values.a }}\na: 1\n{{- end }}"),
        ("a.json", "[" * 100000),
        ("a.json", json.dumps(list(range(100_001)))),
        ("a.conf", "key = value\n[x]"),
        ("a.conf", "a { b"),
        (".env", "A=1\nwords that are no variable"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_no_problem(path: str, text: str) -> None:
    assert parse(path, text) == Document()


# Scalars that programs mistake for each other, and structures that differ only a little.
SCALARS = st.sampled_from(
    ["1", "1.0", "yes", "null", "", "~", "x", "{}", "[]", "a b", "a  b", "2024-01-01", "22:22", '"', "#", "*a", "!x"]
) | st.none() | st.booleans() | st.integers(-2, 2)  # fmt: skip
NAMES = st.sampled_from(["a", "b", "a.b", "name", "[0]", "1", '"', "", "on"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, VALUES, max_size=3), st.dictionaries(NAMES, VALUES, max_size=3))
def test_the_same_meaning_is_that_of_other_readers(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    for path, dump in (("a.json", json.dumps), ("a.yml", yaml.safe_dump)):
        left, right = (parse(path, dump(value)).meaning for value in (one, other))
        assert left is not None
        # 1 == True in Python, though not in a file.
        assert (left == right) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))  # fmt: skip


PIECES = st.lists(
    st.sampled_from(
        ["a", "b", "1", ": ", ":", "\n", "\n  ", "- ", '"', "'", "#", " # c", "[", "]", "{", "}", ",", "=", "&x ", "*x",
         "|\n", "<<: ", "!!str ", "~", "\t", "\\", ".", "yes", "0x1", "[a]\n", ";", " "]
    ),
    max_size=14,
).map("".join)  # fmt: skip
READERS: dict[str, Callable[[str], Any]] = {
    "a.yml": lambda text: list(yaml.safe_load_all(text)),
    "a.json": json.loads,
    "a.toml": tomllib.loads,
}


@given(st.sampled_from(sorted(READERS)), PIECES, PIECES)
def test_texts_of_the_same_meaning_are_read_alike(path: str, one: str, other: str) -> None:
    left, right = parse(path, one), parse(path, other)
    if left.meaning is not None and left.meaning == right.meaning:
        try:
            values = [READERS[path](text) for text in (one, other)]
        except (yaml.YAMLError, ValueError):
            return  # It has a tag, or a value such as `=`, that only this program keeps as it is.
        assert repr(values[0]) == repr(values[1]) or values[0] == values[1]


ANY_NAME = st.sampled_from([name.replace("*", "x") for one in FORMATS for name in one.names])


@given(ANY_NAME, st.text() | PIECES)
def test_no_text_is_an_error(path: str, text: str) -> None:
    assert parse(path, text) == parse(path, text)


def test_a_file_that_is_far_too_long_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse("a.yml", "a: 1\n").leaves
    monkeypatch.setattr(formats, "LONGEST", 4)
    assert parse("a.yml", "a: 1\n") == Document()


@pytest.mark.parametrize(
    ("path", "text"),
    [("a.toml", "a." * 20_000 + "a = 1"), ("nginx.conf", "a {" * 20_000), ("a.ini", "[a]\na=1\n" * 200_000)],
)  # fmt: skip
def test_a_file_that_takes_far_too_long_is_not_parsed(
    path: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "SECONDS", 0.01)
    assert parse(path, text) == Document()
    assert parse(path, "").problem is None
