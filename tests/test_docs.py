"""The documentation site: complete in each language, made from sources, and true where it can be tried."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from drydock.cli import COMMANDS
from drydock.record import NAME
from tests.support.catalogue import CATALOGUE, CHOICES, ROOT
from tests.support.commands import run, succeed, tool
from tests.support.guides import PATTERNS, REASONS, RUN, code, shell
from tests.support.projects import Bake, lint_commands
from tests.support.recipes import Edit, read
from tests.support.templates import COMPOSE, FILES, QUESTIONS, TOP, Template, git
from tests.test_languages import BLOCK, Section, sections
from tests.test_project import linter_env
from tools import docs

ENGLISH = dict(docs.written("en"))
TRANSLATIONS = [language for language in docs.LANGUAGES if language != "en"]
LETTERS = {"ko": "[가-힣]"}


def normal(markdown: str) -> str:
    """Return a page with each piece of code in one line, and links without their anchors, which have a language."""
    parts = re.split(r"(?ms)(^```\w*\n.*?^```$)", markdown)
    for index in range(0, len(parts), 2):
        parts[index] = re.sub("`[^`]+`", lambda code: " ".join(code[0].split()), parts[index])
        parts[index] = re.sub(r"(?<=\])(\([^)#]*)#[^)]*\)", r"\1)", parts[index])
    return "".join(parts)


def shape(path: Path) -> list[Section]:
    """Return what a page has in every language."""
    return sections(normal(path.read_text("utf-8")))


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_page_is_there_in_every_language(language: str) -> None:
    assert {name for name, _ in docs.written(language)} == {*ENGLISH}


@pytest.mark.parametrize("language", TRANSLATIONS)
@pytest.mark.parametrize("name", ENGLISH)
def test_a_translation_has_the_sections_code_tables_and_links_of_the_english_page(
    name: str, language: str
) -> None:
    assert shape(dict(docs.written(language))[name]) == shape(ENGLISH[name])


@pytest.mark.parametrize("language", TRANSLATIONS)
@pytest.mark.parametrize("name", ENGLISH)
def test_a_translation_is_in_its_language(name: str, language: str) -> None:
    letters = LETTERS[language]
    texts = [
        path.read_text("utf-8") for path in (dict(docs.written(language))[name], ENGLISH[name])
    ]
    translated, english = (re.sub("<!-- .* -->", "", BLOCK.sub("", text)) for text in texts)
    left = [
        part for part in translated.split("\n\n") if part.strip() and not re.search(letters, part)
    ]
    assert [part for part in left if not re.fullmatch(r"#+ [\w-]+( [A-Z][\w]*)?", part)] == []
    assert not re.search(letters, english)


def test_the_navigation_has_every_page_once() -> None:
    def flat(entry: object) -> list[str]:
        if isinstance(entry, dict | list):
            parts = entry.values() if isinstance(entry, dict) else entry
            return [name for part in parts for name in flat(part)]
        return [str(entry)]

    for language in docs.LANGUAGES:
        names = docs.pages(language)
        assert sorted(flat(docs.navigation(language, names))) == sorted(names)


def test_words_and_titles_are_there_in_every_language() -> None:
    for words in docs.WORDS.values():
        assert words.keys() == docs.WORDS["en"].keys()


# What is made from sources


@pytest.mark.parametrize("language", docs.LANGUAGES)
def test_every_answer_and_choice_is_in_the_reference(language: str) -> None:
    page = docs.answers(language)
    for question in (name for name in CATALOGUE if not name.startswith("_")):
        if isinstance(CATALOGUE[question], list):
            table = page.partition(f"\n## {question}\n")[2].partition("\n## ")[0]
            assert re.findall(r"(?m)^\| `(.*?)` \|", table) == CHOICES[question]
        else:
            assert f"| `{question}` | " in page
    assert "[/" not in page, "the markup of a terminal"


def test_refused_combinations_are_in_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "## Together" in docs.answers("en") or not CATALOGUE["_refused"]
    data = {**CATALOGUE, "_refused": {"database=sqlite, cache=redis": "no reason"}}
    monkeypatch.setattr(docs, "catalogue", lambda: data)
    assert "| `database=sqlite, cache=redis` | no reason |" in docs.answers("en")


def test_every_command_is_in_the_reference() -> None:
    page = docs.commands("en")
    for name in COMMANDS:
        assert f"## drydock {name}\n\n```text\nUsage: drydock {name} [OPTIONS]" in page


def test_every_property_of_the_report_is_in_the_reference() -> None:
    schema, page = json.loads((ROOT / "drydock/schema.json").read_text("utf-8")), docs.report("en")
    for name, part in schema["$defs"].items():
        table = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert re.findall(r"(?m)^\| `(.*?)` \|", table) == [*part["properties"]]
    assert "| `drifts` | array of [Drift](#drift) |" in page
    assert "| `not_known` | string or null |" in page


@pytest.mark.parametrize("language", docs.LANGUAGES)
def test_every_variable_is_in_the_reference(language: str) -> None:
    text = docs.project(language)[0][".env.example"].text or ""
    names = re.findall(r"(?m)^#?([A-Z][A-Z0-9_]*)=", text)
    page = docs.variables(language)
    assert len(names) > 30
    assert re.findall(r"(?m)^\| `(\w+)` \|", page) == names
    assert "| `HSTS_SECONDS` | `3600` |" in page
    assert f"| `DJANGO_SECRET_KEY` | {docs.WORDS[language]['secret']} |" in page
    assert "| `TLS_DIRECTORY` |  |" in page


def test_every_make_target_is_in_the_reference() -> None:
    makefile = docs.project("en")[0]["Makefile"].text or ""
    assert re.findall(r"`make ([a-z-]+)` \|", docs.targets("en")) == re.findall(
        r"(?m)^([a-z-]+):.*## ", makefile
    )


def test_comments_are_no_markup() -> None:
    assert docs.prose("KAKAO_* and `A_B`, A_B <x>") == r"KAKAO_\* and `A_B`, `A_B` \<x>"
    assert (
        docs.prose("by IPV=false or A_B=a.yml:b.yml: so")
        == "by `IPV=false` or `A_B=a.yml:b.yml`: so"
    )


@pytest.mark.parametrize("language", docs.LANGUAGES)
def test_the_documents_of_a_project_are_there(language: str) -> None:
    names = {"README.md", "docs/operations.md", "docs/recipes.md", "docs/testing.md"}
    found = docs.documents(language)
    assert names <= found.keys()
    for name, text in found.items():
        assert re.match(rf"# .*\n\n!!! note\n    .*`{name}`.*\n", text)


# Lines of a project

LINES = "a:\n  b: 1\n\n  c: 2\nd:\n  b: 3\n"


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("a:", None, "a:\n  b: 1\n\n  c: 2"),
        ("c:", None, "c: 2"),
        ("b: 1", "d:", "  b: 1\n\n  c: 2\nd:"),
    ],
)
def test_lines_of_a_file(first: str, last: str | None, shown: str) -> None:
    assert docs.excerpt(LINES, first, last) == shown


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("<!-- nothing: x -->", "page.md: a project has no nothing"),
        (
            "<!-- Dockerfile: what is not there -->",
            "page.md: Dockerfile has no 'what is not there'",
        ),
        ("<!-- Dockerfile: FROM ... nowhere -->", "Dockerfile has no 'nowhere' after 'FROM'"),
    ],
)
def test_lines_that_are_gone_are_named(comment: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        docs.with_excerpts(f"Text.\n\n{comment}\n", docs.project("en")[0], "page.md")


# Commands

DOCUMENTS = [*(path for language in docs.LANGUAGES for _, path in docs.written(language))]
DOCUMENTS += [ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_is_run_by_a_test_or_has_a_reason(path: Path) -> None:
    given = shell(path.read_text("utf-8"))
    assert [c for c in given if not any(re.fullmatch(p, c) for p in PATTERNS)] == []


def test_no_pattern_is_left_over() -> None:
    given = {command for path in DOCUMENTS for command in shell(path.read_text("utf-8"))}
    assert [p for p in [*RUN, *REASONS] if not any(re.fullmatch(p, c) for c in given)] == []


@pytest.mark.parametrize("place", sorted({*RUN.values()}))
def test_the_tests_that_run_them_exist(place: str) -> None:
    path, _, name = place.partition("::")
    assert re.search(rf"(?m)^ *def {name}\(", (ROOT / "tests" / path).read_text("utf-8"))


def test_a_loop_is_one_command() -> None:
    text = "```sh\n# why\nmake x    # why\nfor a in b; do\n    c\ndone\nmake y\n```\n"
    assert shell(text) == ["make x", "for a in b; do\n    c\ndone", "make y"]


# What the pages say, done


@pytest.mark.parametrize("name", ["app", "service"])
def test_the_lines_that_a_guide_names_are_there(name: str, tmp_path: Path) -> None:
    recipes = read((docs.SOURCES / "how-to" / f"{name}.md").read_text("utf-8"))
    edits = [edit for recipe in recipes.values() for edit in recipe.edits]
    assert edits
    files = docs.project("en")[0]
    for edit in edits:
        target = tmp_path / edit.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[edit.path].text or "", "utf-8")
        edit.apply(tmp_path)
        assert edit.text in target.read_text("utf-8")


FEATURE = ["An app", "Red: a test that fails", "Green: the least code that passes", "Once more"]


@pytest.mark.project
def test_the_tutorial_leads_where_it_says(
    bake: Bake, environment_python: Path, tmp_path: Path
) -> None:
    folder, programs = tmp_path / "my_site", environment_python.parent
    shutil.copytree(bake(**docs.ANSWERS), folder)
    makefile = folder / "Makefile"
    makefile.write_text(makefile.read_text().replace("\tuv run ", "\t"))
    env = linter_env(programs)
    recipes = read((docs.SOURCES / "tutorial.md").read_text("utf-8"))
    results = []

    def follow(step: str) -> None:
        command, _, expected = (part.strip() for part in step.partition("#"))
        if command == "make test":
            words = ["-p", "no:cacheprovider", "--no-migrations", "my_site/notices"]
            result = run(programs / "pytest", *words, cwd=folder, env=env)
            results.append("passes" if result.returncode == 0 else "fails")
            assert expected.startswith(results[-1]), result.stdout
            assert expected.removeprefix("fails: ") in f"passes\n{result.stdout}"
        elif command == "make lint":
            # Those that are fast: other tests show that mypy and Django's checks read new apps.
            for check in lint_commands(folder):
                if check.startswith("ruff"):
                    succeed("sh", "-c", check, cwd=folder, env=env)
        elif command.startswith("make "):
            words = ["make", "--assume-old=install", *command.split()[1:]]
            succeed(*words, cwd=folder, env=env)
        else:
            script = command.removeprefix("uv run ")
            succeed("sh", "-c", script, cwd=folder, env={**env, "DJANGO_DEBUG": "true"})

    for step in recipes["A project"].steps:
        if isinstance(step, str) and step.startswith("git "):
            follow(step)
    for title in FEATURE:
        for step in recipes[title].steps:
            if isinstance(step, Edit):
                step.apply(folder)
            elif title != "An app" or not step.startswith("make test"):
                follow(step)
    # That the test of a new app passes, test_project.py shows.
    assert results == ["fails", "passes", "fails", "passes"]
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "log", "--format=%s").splitlines() == ["Notices", "The project as generated"]


@pytest.mark.slow
def test_a_change_is_rolled_out_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = Template(tmp_path / "template")
    template.folder.mkdir()
    git(template.folder, "init", "--quiet")
    template.commit({"cookiecutter.json": json.dumps(QUESTIONS), **FILES}, "First")
    for name in ("blog", "shop"):
        project = template.generate(tmp_path / "projects", slug=name)
        if name == "shop":
            path = project / "docker-compose.yml"
            path.write_text(path.read_text().replace("web:1", "web:1-ours"))
        git(project, "init", "--quiet")
        git(project, "add", "--all")
        git(project, "commit", "--quiet", "--message", "First")
    template.commit({f"{TOP}/docker-compose.yml": COMPOSE.replace("web:1", "web:2")})
    check, update = [
        command
        for command in shell((docs.SOURCES / "how-to" / "roll-out.md").read_text("utf-8"))
        if command.startswith("for ") or succeed_if_tag(template, command)
    ]
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "drydock"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m drydock "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{Path(sys.executable).parent}", prepend=":")
    monkeypatch.setenv("DRYDOCK_CACHE", str(tmp_path / "cache"))
    projects = tmp_path / "projects"
    assert succeed("bash", "-c", check, cwd=projects) == "3 blog/\n1 shop/\n"
    assert succeed("bash", "-c", update, cwd=projects).endswith("by hand: shop/\n")
    assert "web:2" in (projects / "blog/docker-compose.yml").read_text()
    assert git(projects / "blog", "log", "-1", "--format=%s %D").startswith("Update from the")
    assert json.loads((projects / "blog" / NAME).read_text())["commit"] == template.head()
    assert "web:1-ours" in (projects / "shop/docker-compose.yml").read_text()
    assert git(projects / "shop", "status", "--porcelain") == ""
    assert succeed("bash", "-c", check, cwd=projects) == "0 blog/\n1 shop/\n"


def succeed_if_tag(template: Template, command: str) -> bool:
    """Run the command that tags a version in a template; no loop."""
    if command.startswith("git tag"):
        succeed("sh", "-c", command, cwd=template.folder)
    return False


# The site itself


READ, SENT = "test_what_is_read_is_in_every_answer", "test_what_is_sent_is_known_and_enough"


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, set()),
        ({"Invoice": {"properties": {"id": {}, "total": {}}, "required": ["id"]}}, {READ}),
        ({"New": {"properties": {"total": {}}}}, {SENT}),
        ({"New": {"properties": {"customer": {}, "total": {}}, "required": ["day"]}}, {SENT}),
    ],
    ids=["nothing", "optional", "gone", "one more is needed"],
)
def test_a_contract_says_what_would_break(
    changes: dict[str, Any], broken: set[str], tmp_path: Path
) -> None:
    guide = (docs.SOURCES / "how-to" / "microservices.md").read_text("utf-8")
    schemas = {
        "Invoice": {"properties": {"id": {}, "total": {}}, "required": ["id", "total"]},
        "New": {"properties": {"customer": {}, "total": {}}},
        **changes,
    }
    invoice, new = (
        {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
        for name in schemas
    )
    paths = {
        "/api/v1/invoices/{id}/": {"get": {"responses": {"404": {}, "200": invoice}}},
        "/api/v1/invoices/": {"post": {"requestBody": new}},
    }
    document = {"paths": paths, "components": {"schemas": schemas}}
    (tmp_path / "billing.json").write_text(json.dumps(document))
    contract: dict[str, Any] = {"__file__": str(tmp_path / "test_billing.py")}
    exec(code(guide, "python", "billing.json"), contract)  # noqa: S102 -- the guide's own
    failed = set()
    for name, uses in ((READ, contract["READS"]), (SENT, contract["SENDS"])):
        for call, names in uses.items():
            try:
                contract[name](call, names)
            except AssertionError:
                failed.add(name)
    assert failed == broken


def test_the_requirements_have_the_packages_of_the_group() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    group = re.search(r"(?ms)^docs = \[\n(.*?)^\]", text)
    assert group
    pinned = (ROOT / "requirements-docs.txt").read_text("utf-8")
    for name in re.findall('"([^"]+)"', group[1]):
        assert re.search(rf"(?m)^{name}==\S+ \\\n    --hash=sha256:", pinned)


@pytest.mark.project
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "bench/")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / ".venv-docs/bin/python"
    succeed(tool("uv"), "venv", "--quiet", "--python", sys.executable, ".venv-docs", cwd=tmp_path)
    words = ["--quiet", "--require-hashes", "--requirement", "requirements-docs.txt"]
    succeed(tool("uv"), "pip", "install", *words, "--python", python, cwd=tmp_path)
    printed = succeed(python, "tools/docs.py", cwd=tmp_path)
    assert printed.count("No issues found") == len(docs.LANGUAGES)
    for page in ("index.html", "ko/index.html", "ko/reference/answers/index.html"):
        text = (tmp_path / "site" / page).read_text("utf-8")
        assert re.search(f'<html lang="{"ko" if page.startswith("ko") else "en"}"', text)
        # A page asks no other host for anything.
        assert (
            re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//(?!ORG)', text) == []
        )
