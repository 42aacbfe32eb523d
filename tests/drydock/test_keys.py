"""Structured files are compared by key path."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from drydock.formats import FORMATS, parse
from drydock.keys import KeyChange, collapsed, diff_keys

NGINX = "http {\n  server {\n    listen 80;\n    location /static/ { expires 1y; }\n  }\n}\n"
DOCKER = "FROM python:3.14 AS build\nRUN a \\\n    && b\nFROM python:3.14\nENV A=1 \\\n    B=2\n"

# Path, before, after -> key, value before, value after.
CHANGED: list[tuple[str, str, str, list[tuple[str, str | None, str | None]]]] = [
    ("a.yml", "a: {b: 1.10}", "a: {b: 1.1}", [("a.b", "1.10", "1.1")]),
    ("a.yml", "on: yes", "on: no", [("on", "yes", "no")]),
    ("a.yml", 'p: "80"', "p: 80", [("p", '"80"', "80")]),
    ("a.yml", "l: [x, y]", "l: [x, z, y]", [("l[]", None, "z")]),
    ("a.yml", "l: [x]", "l: [y]", [("l[]", "x", None), ("l[]", None, "y")]),
    ("a.yml", "s: [{name: a, v: 1}]", "s: [{name: b, v: 2}, {name: a, v: 3}]",
     [("s[a].v", "1", "3"), ("s[b].name", None, "b"), ("s[b].v", None, "2")]),
    ("a.yml", "s: [{v: 1}]", "s: [{v: 2}]", [("s[0].v", "1", "2")]),
    ("a.yml", "s: [[1]]", "s: [[1, 2]]", [("s[0][]", None, "2")]),
    ("a.yml", "x: &x {a: 1}\ny: {<<: *x}", "x: &x {a: 1}\ny: {<<: *x, a: 2}", [("y.a", "1", "2")]),
    ("a.yml", "y: {<<: [{a: 1}, {b: 1}]}", "y: {a: 1, b: 2}", [("y.b", "1", "2")]),
    ("a.yml", "p: !reset []", "p: !override [a]", [("p.!reset", "[]", None), ("p.!override[]", None, "a")]),
    ("a.yml", "p: !x 1", "p: !y {b: 1}", [("p", "!x 1", None), ("p.!y.b", None, "1")]),
    ("a.yml", "a:", "a: 1", [("a", "null", "1")]),
    ("a.yml", "a: {}", "a: []", [("a", "{}", "[]")]),
    ("a.yml", "a: 1\n---\nb: 1", "a: 1\n---\nb: 2", [("document 2.b", "1", "2")]),
    ("a.yml", '"a.b": 1', '"a.b": 2', [('"a.b"', "1", "2")]),
    ("a.yml", "{a: 1, a: 2}", "{a: 2, a: 2}", [("a", "1", "2")]),
    ("a.yml", "{[a]: 1}", "{[a]: 2}", [("\"['a']\"", "1", "2")]),
    ("pyproject.toml", "[a]\nb = 1", "[a]\nb = true", [("a.b", "1", "true")]),
    ("Pipfile", "[packages]\ndjango = '*'", "", [("packages.django", "*", None), ("", None, "{}")]),
    ("a.json", '{"a": [null, 1.5]}', '{"a": [null, 2.5]}', [("a[]", "1.5", None), ("a[]", None, "2.5")]),
    ("uwsgi.ini", "[uwsgi]\nenv = A\nenv = B", "[uwsgi]\nenv = B\nenv = C", [("uwsgi.env", "A", "C")]),
    ("uwsgi.ini", "[uwsgi]\nenv = A", "[uwsgi]\nenv = A\nenv = B", [("uwsgi.env", None, "B")]),
    (".flake8", "[flake8]\nexclude =\n  a\n  b", "[flake8]\nexclude =\n  a", [("flake8.exclude", "a ⏎ b", "a")]),
    ("setup.cfg", "[a]\nkey = 1", "[a]\nkey: 2", [("a.key", "1", "2")]),
    ("my.cnf", "[a]\nkey", "[a]\nkey = 2", [("a.key", "(no value)", "2")]),
    ("nginx/site.conf", NGINX, NGINX.replace("1y", "2y"),
     [("http.server.location /static/.expires", "1y", "2y")]),
    ("site.conf.template", "server_name ${HOST};", 'server_name "a;b";', [("server_name", "${HOST}", '"a;b"')]),
    ("Dockerfile", DOCKER, DOCKER.replace("A=1", "A=3"), [("1.ENV.A", "1", "3")]),
    ("Dockerfile", DOCKER, DOCKER.replace("&& b", "&& c"), [("build.RUN", "a && b", "a && c")]),
    ("Dockerfile", "ARG A=1\nFROM x", "ARG A=2\nFROM x", [("ARG.A", "1", "2")]),
    (".env.example", "# A=0\nA=1\nexport B=2", "A=2\nB = 2", [("A", "1", "2"), ("B", "2", "B = 2")]),
    ("requirements.txt", "Django==5.2.1 \\\n    --hash=sha256:aa\n", "django==5.2.2 --hash=sha256:aa",
     [("django", "==5.2.1", "==5.2.2")]),
    ("requirements-dev.txt", "-r a.txt\na[b]==1; x\n./here", "-r b.txt\na[b]==1; x",
     [("-r", "a.txt", "b.txt"), ("requirement", "./here", None)]),
    (".gitignore", "*.log\n# x\n", "*.tmp\n", [("*.log", "", None), ("*.tmp", None, "")]),
]  # fmt: skip


def changes(path: str, before: str, after: str) -> list[KeyChange] | None:
    """Return the keys that differ between two texts of a file at a path."""
    return diff_keys(parse(path, before), parse(path, after))


@pytest.mark.parametrize(("path", "before", "after", "expected"), CHANGED)
def test_a_changed_key_is_found(
    path: str, before: str, after: str, expected: list[tuple[str, str | None, str | None]]
) -> None:
    found = changes(path, before, after)
    assert found is not None
    assert [(one.key, one.before, one.after) for one in found] == expected


@pytest.mark.parametrize("path", ["a.py", "gunicorn.conf.py", "README.md", "yml"])
def test_other_files_have_no_keys(path: str) -> None:
    assert parse(path, "a: 1").leaves is None
    assert changes(path, "a: 1", "b: 1") is None


def test_hashes_are_one_value() -> None:
    before = "a==1 --hash=sha256:aa --hash=sha256:bb"
    assert changes("requirements.txt", before, "a==1 --hash=sha256:bb --hash=sha256:aa") == []
    (one,) = changes("requirements.txt", before, "a==1 --hash=sha256:cc") or []
    assert one.key == "a --hash"
    assert (one.after or "").startswith("1 hashes")
    newer = changes("requirements.txt", before, "a==2 --hash=sha256:cc") or []
    assert [one.key for one in newer] == ["a"]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (".env.example", "DATABASE_PASSWORD=hunter2", "DATABASE_PASSWORD=hunter3"),
        ("a.yml", "api-key: hunter2", "api-key: hunter3"),
        ("a.toml", 'SECRET_KEY = "hunter2"', ""),
        ("a.ini", "[a]\nauth_token = hunter2", "[a]\nauth_token = x"),
        (".env", "URL=mysql://root:hunter2@db/x", "URL=mysql://db/x"),
        ("a.yml", "a: ghp_hunter2hunter2hunter2hunter2", "a: b"),
    ],
)
def test_values_that_look_secret_are_masked(path: str, before: str, after: str) -> None:
    found = changes(path, before, after)
    assert found
    assert "hunter" not in repr(found)
    shown = [one.shown for one in found]
    assert not any("hunter" in (value or "") for one in shown for value in (one.before, one.after))
    assert any(one.secret for one in shown)


@pytest.mark.parametrize(
    "text", ["PASSWORD=${DATABASE_PASSWORD}", "SECRET=", "TOKENS=3", "CACHE_KEYS=a", "KEY=b"]
)
def test_references_and_harmless_names_are_not_masked(text: str) -> None:
    found = [one.shown for one in changes(".env", text, "") or []]
    assert [one.before for one in found] == [text.partition("=")[2]]
    assert not any(one.secret for one in found)


def test_a_part_that_is_wholly_gone_is_one_line() -> None:
    before, after = "s: {a: {x: 1, y: {z: 2}}, b: 1, c: 1}", "s: {b: 2, d: {x: 1, y: 2}}"
    found = changes("a.yml", before, after) or []
    brief = collapsed(found, parse("a.yml", before), parse("a.yml", after))
    assert [(one.key, one.before, one.after) for one in brief] == [
        ("s.a", "(2 keys)", None),
        ("s.b", "1", "2"),
        ("s.c", "1", None),
        ("s.d", None, "(2 keys)"),
    ]


# These letters spell no name of a secret, whose value would be masked.
NAMES = st.text("abKZ", min_size=1, max_size=6)
VALUES = st.recursive(
    st.integers() | st.booleans() | NAMES,
    lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), st.data())
def test_one_value_that_changes_is_one_key(values: dict[str, Any], data: st.DataObject) -> None:
    changed = json.loads(json.dumps(values))
    folder, path = changed, []
    while True:
        name = data.draw(st.sampled_from(sorted(folder)))
        path.append(name)
        if not isinstance(folder[name], dict):
            break
        folder = folder[name]
    folder[name] = "another value"
    for file, dump in (("a.json", json.dumps), ("a.yml", yaml.safe_dump)):
        found = changes(file, dump(values), dump(changed))
        assert found is not None
        assert [(one.key, one.after) for one in found] == [(".".join(path), "another value")]


FILE_NAMES = st.sampled_from([name.replace("*", "x") for one in FORMATS for name in one.names])


@given(FILE_NAMES, st.text())
def test_a_text_does_not_differ_from_itself(path: str, text: str) -> None:
    assert changes(path, text, text) in ([], None)


@given(FILE_NAMES, st.text(), st.text())
def test_no_text_is_an_error(path: str, before: str, after: str) -> None:
    found = changes(path, before, after)
    if found:
        assert len(collapsed(found, parse(path, before), parse(path, after))) <= len(found)
