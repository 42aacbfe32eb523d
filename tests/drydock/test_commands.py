"""The command on projects from real git templates: what it finds and prints, and its exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import drydock as package
from drydock.cli import COMMANDS, main
from drydock.commands.options import FORM, STATES
from drydock.record import updated
from tests.support.catalogue import ROOT
from tests.support.commands import succeed, tool
from tests.support.templates import FILES, QUESTIONS, TOP, Drydock, MakeTemplate, Template, git

COMPOSE, README, CNF = "docker-compose.yml", "README.md", "my.cnf"
MY_CNF = f"{TOP}/{{% if cookiecutter.database == 'mysql' %}}my.cnf{{% endif %}}"
SCHEMA = json.loads((Path(package.__file__).parent / "schema.json").read_text())


def report(drydock: Drydock, project: Path, *words: str) -> dict[str, Any]:
    """Return the JSON report, which must be valid for its schema."""
    result = drydock("check", project, "--json", *words)
    found: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(found, SCHEMA)
    assert found["status"] == result.exit_code
    return found


def found_states(drydock: Drydock, project: Path) -> dict[str, str]:
    """Return the state of each file that differs."""
    return {drift["path"]: drift["state"] for drift in report(drydock, project)["drifts"]}


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text, which must be in the file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_untouched_project_is_in_step(drydock: Drydock, project: Path) -> None:
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    assert "4 files compared: 4 same, 0 not." in result.output
    assert report(drydock, project)["drifts"] == []


@pytest.mark.parametrize(
    ("here", "upstream", "state", "status"),
    [
        (None, None, None, 0),
        ("edit", None, "edited here", 1),
        (None, "edit", "changed upstream", 3),
        ("edit", "edit", "same change", 3),
        ("other", "edit", "conflict", 1),
        ("delete", None, "deleted here", 1),
        (None, "delete", "removed upstream", 3),
        ("delete", "delete", "same change", 3),
        ("delete", "edit", "deleted here", 1),
        ("edit", "delete", "conflict", 1),
    ],
)
def test_each_state_of_a_file(
    here: str | None,
    upstream: str | None,
    state: str | None,
    status: int,
    drydock: Drydock,
    template: Template,
    project: Path,
) -> None:
    path, source = project / README, f"{TOP}/{README}"
    if here == "delete":
        path.unlink()
    elif here:
        edit(path, "A line.", f"A new line {here}.")
    if upstream == "delete":
        template.commit({source: None})
    elif upstream:
        template.commit({source: FILES[source].replace("A line.", f"A new line {upstream}.")})
    result = drydock("check", project)
    assert found_states(drydock, project) == ({README: state} if state else {})
    assert result.exit_code == status
    assert f"{state or '0 not.'}" in result.output


def test_a_new_file_upstream(drydock: Drydock, template: Template, project: Path) -> None:
    template.commit({f"{TOP}/new.txt": "new\n"})
    assert found_states(drydock, project) == {"new.txt": "new upstream"}
    (project / "new.txt").write_text("mine\n")
    assert found_states(drydock, project) == {"new.txt": "conflict"}
    (project / "new.txt").write_text("new\n")
    assert found_states(drydock, project) == {"new.txt": "same change"}


def test_files_of_the_project_alone_do_not_count(drydock: Drydock, project: Path) -> None:
    (project / "own.py").write_text("x = 1\n")
    assert drydock("check", project).exit_code == 0


def test_a_mode_is_a_change(drydock: Drydock, project: Path) -> None:
    (project / "run.sh").chmod(0o644)
    result = drydock("check", project)
    assert result.exit_code == 1
    assert "not executable" in result.output


def test_keys_and_their_values_are_shown(drydock: Drydock, project: Path) -> None:
    edit(project / COMPOSE, "mysql:9", "mysql:8")
    result = drydock("check", project)
    assert "services.db.image  mysql:9 -> mysql:8  (edited here)" in result.output


@pytest.mark.parametrize(
    ("path", "line", "edited", "key"),
    [
        ("a.yml", "a: {b: %s}", "a: {b: other}", "a.b"),
        ("a.toml", "[a]\nb = '%s'", "[a]\nb = 'other'", "a.b"),
        ("a.json", '{"a": {"b": "%s"}}', '{"a": {"b": "other"}}', "a.b"),
        (
            "uwsgi.ini",
            "[uwsgi]\nenv = A=1\nenv = B=%s",
            "[uwsgi]\nenv = A=1\nenv = B=other",
            "uwsgi.env",
        ),
        ("site.conf", "server { listen %s; }", "server { listen other; }", "server.listen"),
        ("Dockerfile", "FROM x AS y\nENV A=%s", "FROM x AS y\nENV A=other", "y.ENV.A"),
        (".env.example", "A=%s", "A=other", "A"),
        ("requirements.txt", "a==%s", "a==other", "a"),
    ],
)
def test_each_structured_format_is_compared_by_key(
    path: str,
    line: str,
    edited: str,
    key: str,
    drydock: Drydock,
    make_template: MakeTemplate,
    tmp_path: Path,
) -> None:
    template = make_template({f"{TOP}/{path}": line % "{{ cookiecutter.debug }}" + "\n"})
    project = template.generate(tmp_path / "out")
    (project / path).write_text(edited + "\n")
    template.commit({f"{TOP}/{path}": line % "newest" + "\n"})
    (drift,) = report(drydock, project)["drifts"]
    assert [one["key"] for one in drift["here"]["keys"]] == [key]
    assert [one["key"] for one in drift["upstream"]["keys"]] == [key]
    assert drift["here"]["keys"][0]["after"].endswith("other")
    assert drift["upstream"]["keys"][0]["after"].endswith("newest")
    assert drift["collisions"] == [key]


def test_a_file_that_cannot_be_parsed_is_named_and_its_lines_are_counted(
    drydock: Drydock, project: Path
) -> None:
    (project / COMPOSE).write_text("services: [\n")
    for form in ("text", "markdown"):
        result = drydock("check", project, "--format", form)
        assert result.exit_code == 2
        assert (
            f"{COMPOSE}: cannot be parsed, so it is compared by line; please fix it: "
            in result.output
        )
    (drift,) = report(drydock, project)["drifts"]
    assert drift["here"]["keys"] is None
    assert drift["here"]["problem"]


def test_a_file_that_the_template_wrote_in_another_form_is_no_error(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    project = make_template({f"{TOP}/apache.conf": "<Directory /x>\n"}).generate(tmp_path / "out")
    edit(project / "apache.conf", "/x", "/y")
    (drift,) = report(drydock, project)["drifts"]
    assert drift["here"]["problem"] is None
    assert drift["here"]["keys"] is None


def test_a_new_file_has_no_problem(drydock: Drydock, template: Template, project: Path) -> None:
    template.commit({f"{TOP}/new.json": "{}\n"})
    (drift,) = report(drydock, project)["drifts"]
    assert drift["upstream"]["problem"] is None
    assert drift["upstream"]["added"] == 1


def test_the_configuration_of_cookiecutter_changes_nothing(
    drydock: Drydock, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".cookiecutterrc").write_text("default_context: {slug: other, debug: true}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(tmp_path / ".cookiecutterrc"))
    assert drydock("check", project).exit_code == 0


def test_init_writes_no_answer_that_looks_secret(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    questions = {"slug": "site", "admin_password": "changeme"}
    template = make_template({f"{TOP}/a": "{{ cookiecutter.slug }}\n"}, questions)
    project = template.generate(tmp_path / "out", record=False)
    result = drydock("init", project, str(template.folder), "--set", "admin_password=hunter2")
    assert result.exit_code == 0
    assert "hunter2" not in result.output + (project / ".cruft.json").read_text()


def test_an_ignored_pattern_is_compared_line_by_line(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    project = make_template({f"{TOP}/.gitignore": "*.log\n*.tmp\n"}).generate(tmp_path / "out")
    (project / ".gitignore").write_text("*.tmp\n*.bak\n")
    shown = drydock("check", project).output
    assert "*.log  removed  (edited here)" in shown
    assert "*.bak  added  (edited here)" in shown


def test_a_key_that_both_changed_collides(
    drydock: Drydock, template: Template, project: Path
) -> None:
    edit(project / COMPOSE, "mysql:9", "mysql:8")
    edit(project / COMPOSE, "web:1", "web:2")
    source = f"{TOP}/{COMPOSE}"
    template.commit({source: FILES[source].replace("}}:9", "}}:10").replace("web:1", "web:2")})
    (drift,) = report(drydock, project)["drifts"]
    assert drift["state"] == "conflict"
    assert drift["collisions"] == ["services.db.image"]
    result = drydock("check", project)
    assert "services.db.image  mysql:9 -> mysql:8  (conflict)" in result.output
    assert "services.db.image  mysql:9 -> mysql:10  (conflict)" in result.output


def test_form_alone_is_told_apart(drydock: Drydock, project: Path) -> None:
    path = project / COMPOSE
    path.write_text(
        "# why\nservices:\n  web: {image: web:1}\n  db:\n    restart: always\n    image: mysql:9\n"
    )
    (drift,) = report(drydock, project)["drifts"]
    assert drift["here"]["form_only"]
    result = drydock("check", project)
    assert result.exit_code == 0
    assert "edited here, form only" in result.output
    assert drydock("check", project, "--fail-on", "form").exit_code == 1


def test_line_breaks_at_the_end_are_form_and_blanks_are_not(
    drydock: Drydock, project: Path
) -> None:
    (project / README).write_bytes(b"# site\n\nA line.")
    assert drydock("check", project).exit_code == 0
    (project / README).write_bytes(b"# site  \n\nA line.\n")
    assert drydock("check", project).exit_code == 1


def test_a_binary_file_is_named(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    template = make_template({f"{TOP}/icon.png": b"\x89PNG\0\xff"})
    project = template.generate(tmp_path)
    (project / "icon.png").write_bytes(b"\x89PNG\0\xfe")
    result = drydock("check", project)
    assert "icon.png  binary" in result.output
    assert "Binary files a/icon.png and b/icon.png differ" in drydock("diff", project).output
    (tmp_path / "patch").write_bytes(drydock("diff", project, "--patch").stdout_bytes)
    git(tmp_path, "init", "--quiet", str(project))
    git(project, "apply", "--binary", str(tmp_path / "patch"))
    assert drydock("check", project).exit_code == 0


def test_it_says_how_far_the_template_has_moved(
    drydock: Drydock, template: Template, project: Path
) -> None:
    git(template.folder, "tag", "v1.0")
    template.commit({"README.md": "Of the template alone.\n"})
    template.commit({"README.md": "And again.\n"})
    result = drydock("check", project)
    assert result.exit_code == 0  # No file of the project changes.
    assert "at v1.0 (" in result.output
    assert "2 commits between them" in result.output
    git(template.folder, "reset", "--quiet", "--hard", "HEAD~2")
    template.commit({"x": "y"}, "Another history")
    assert report(drydock, project)["behind"] == 1


@pytest.mark.parametrize("name", [*STATES, FORM])
def test_fail_on_chooses_what_counts(
    name: str, drydock: Drydock, template: Template, project: Path
) -> None:
    edit(project / README, "A line.", "Mine.")
    expected = 1 if name == "edited" else 0
    assert drydock("check", project, "--fail-on", name).exit_code == expected
    assert drydock("check", project, "--fail-on", "nothing").exit_code == 2


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_reports_name_files_states_and_keys(form: str, drydock: Drydock, project: Path) -> None:
    edit(project / COMPOSE, "mysql:9", "a|b`c")
    result = drydock("check", project, "--format", form)
    for words in ("edited here", COMPOSE, "services.db.image", "mysql:9 ->"):
        assert words in result.output
    assert "\033" not in result.output
    assert drydock("check", project, "--quiet", "--format", form).output == ""


def test_markdown_says_when_all_is_well(drydock: Drydock, project: Path) -> None:
    assert "No file" in drydock("check", project, "--format", "markdown").output


def test_preview_shows_what_an_answer_would_change_and_writes_nothing(
    drydock: Drydock, template: Template, project: Path
) -> None:
    template.commit({f"{TOP}/later.txt": "not part of the preview"})
    edit(project / COMPOSE, "mysql:9", "mysql:8")
    before = {path: path.read_bytes() for path in project.iterdir()}
    result = drydock("preview", project, "--set", "database=postgresql", "--diff")
    assert "services.db.image  mysql:9 -> postgresql:9  (conflict)" in result.output
    assert "would be removed  my.cnf" in result.output
    assert f"What would change with database=postgresql: {template.folder} at " in result.output
    assert "4 files compared: 2 would change." in result.output
    assert "--set database=postgresql`" in result.output
    assert "+    image: postgresql:9" in result.output
    assert "later.txt" not in result.output
    assert {path: path.read_bytes() for path in project.iterdir()} == before
    as_json = drydock("preview", project, "--set", "database=postgresql", "--diff", "--json")
    assert json.loads(as_json.stdout)["status"] == 1
    moved = drydock("preview", project, "--set", "database=postgresql", "--to", "main")
    assert "would be new      later.txt" in moved.output


@pytest.mark.parametrize("words", [["--diff"], ["--json"], ["--format", "markdown"], []])
def test_the_answer_to_a_question_for_a_secret_is_shown_nowhere(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path, words: list[str]
) -> None:
    answer = "{{ cookiecutter.db_password }}"
    files = {f"{TOP}/a.txt": f"{answer}\n", f"{TOP}/b.yml": f"x: [{answer}]\n{answer}: 1\ny: a\n"}
    questions = {"slug": "site", "db_password": "", "token": "a", "word": "a"}
    project = make_template(files, questions).generate(tmp_path / "projects")
    given = ["--set", "db_password=hunter2hunter2", "--set", "token=y", "--set", "word=readable"]
    result = drydock("preview", project, *given, *words)
    assert "b.yml" in result.output
    assert "hunter2" not in result.output
    assert "a: ***" not in result.output


def test_preview_tells_nothing_but_what_the_answers_change(drydock: Drydock, project: Path) -> None:
    edit(project / README, "A line.", "My line.")
    (project / "run.sh").unlink()
    result = drydock("preview", project, "--set", "debug=yes")
    assert "4 files compared: 0 would change." in result.output
    assert result.exit_code == 0
    result = drydock("preview", project, "--set", "slug=shop", "--format", "markdown")
    assert "| would merge | `README.md` |" in result.output
    assert "run.sh" not in result.output


def test_preview_asks_the_hook_that_checks_answers_only_if_it_may(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    hook = "if '{{ cookiecutter.slug }}' == 'bad': raise SystemExit('slug is bad')\n"
    template = make_template({**FILES, "hooks/pre_gen_project.py": hook})
    project = template.generate(tmp_path / "out")
    result = drydock("preview", project, "--set", "slug=bad")
    assert "hooks/pre_gen_project.py. That is code, so it was not run" in result.output
    result = drydock("preview", project, "--set", "slug=bad", "--hooks")
    assert result.exit_code == 2
    assert "cookiecutter cannot generate" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["database=oracle"], "'oracle' is not a choice"),
        (["nothing=1"], "the template has no such question. It has slug, database, debug"),
        (["database"], "is not in the form"),
        (["debug=perhaps"], "neither yes nor no"),
        (["_template=x"], "no such question"),
    ],
)
def test_preview_refuses_answers_that_the_template_does_not_know(
    words: list[str], said: str, drydock: Drydock, project: Path
) -> None:
    result = drydock("preview", project, "--set", *words)
    assert result.exit_code == 2
    assert said in result.output


def test_diff_shows_both_sides_or_one(drydock: Drydock, template: Template, project: Path) -> None:
    edit(project / README, "A line.", "Mine.")
    template.commit({f"{TOP}/run.sh": "#!/bin/sh\ntrue"})
    both = drydock("diff", project).output
    assert "# README.md: edited here" in both
    assert "+Mine." in both
    assert "# run.sh: changed upstream" in both
    assert "\\ No newline at end of file" in both
    assert "run.sh" not in drydock("diff", project, "--local").output
    assert "README.md" not in drydock("diff", project, "--upstream").output
    assert "run.sh" not in drydock("diff", project, "README.md").output
    assert drydock("diff", project, "nothing.txt").exit_code == 2


@settings(max_examples=settings().max_examples // 7, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    edits=st.dictionaries(
        st.sampled_from([COMPOSE, README, "run.sh", CNF]),
        st.none() | st.binary(max_size=30) | st.text(st.characters(codec="utf-8"), max_size=30),
    )
)  # fmt: skip
def test_a_patch_gives_the_templates_tree(
    edits: dict[str, bytes | str | None],
    drydock: Drydock,
    template: Template,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("patched")
    project = template.generate(folder)
    expected = {path.name: path.read_bytes() for path in project.iterdir()}
    for name, contents in edits.items():
        if contents is None:
            (project / name).unlink()
        else:
            (project / name).write_bytes(
                contents if isinstance(contents, bytes) else contents.encode()
            )
    patch = drydock("diff", project, "--patch")
    assert patch.exit_code == 0, patch.output
    git(folder, "init", "--quiet", str(project))
    if patch.stdout_bytes:
        (folder / "patch").write_bytes(patch.stdout_bytes)
        git(project, "apply", "--binary", "--whitespace=nowarn", str(folder / "patch"))
    assert {
        path.name: path.read_bytes() for path in project.iterdir() if path.is_file()
    } == expected


def test_a_patch_applies_in_a_folder_of_a_repository(
    drydock: Drydock, template: Template, tmp_path: Path
) -> None:
    project = template.generate(tmp_path / "repository/services")
    git(tmp_path / "repository", "init", "--quiet")
    template.commit({f"{TOP}/README.md": "theirs\n", f"{TOP}/new/file.txt": "new\n"})
    (project / "patch").write_bytes(drydock("diff", project, "--patch").stdout_bytes)
    git(project, "apply", "patch")
    assert (project / README).read_text() == "theirs\n"
    assert (project / "new/file.txt").read_text() == "new\n"


def test_a_patch_leaves_secrets_out_and_says_so(drydock: Drydock, project: Path) -> None:
    edit(project / COMPOSE, "restart: always", "environment:\n      DB_PASSWORD: hunter2")
    edit(project / README, "A line.", "Mine.")
    result = drydock("diff", project, "--patch")
    assert result.exit_code == 2
    assert COMPOSE in result.stderr
    assert "Mine." in result.stdout
    assert "hunter2" not in result.output


def test_no_secret_is_in_any_report(drydock: Drydock, project: Path) -> None:
    edit(
        project / COMPOSE,
        "restart: always",
        "environment:\n      DB_PASSWORD: hunter2\n      URL: https://me:hunter2@host/",
    )
    (project / ".env").write_text("SECRET=hunter2\n")
    for words in ([], ["--json"], ["--format", "markdown"], ["--verbose"]):
        assert "hunter2" not in drydock("check", project, *words).output
    assert "hunter2" not in drydock("diff", project).output


WAYS_OUT = (
    ["check"], ["check", "--json"], ["check", "--format", "markdown"], ["check", "-v"], ["diff"], ["diff", "--patch"],
    ["update", "--dry-run"], ["update", "--dry-run", "--json"], ["preview", "--set", "api_token=hunter2", "--diff"],
    ["preview", "--set", "api_token=hunter2", "--json"], ["preview", "--set", "api_token=hunter2", "--format", "markdown"],
    ["check", "--set", "db_password=hunter2"], ["check", "--json", "--set", "db_password=hunter2"],
    ["check", "--set", "api_token:hunter2"], ["check", "--json", "--set", "api_token:hunter2"],
    ["accept", "none.txt", "--reason", "DB_PASSWORD=hunter2"], ["check", "--to", "https://me:hunter2@host/x"],
)  # fmt: skip


def test_no_secret_leaves_by_any_way(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    compose = "services:\n  db:\n    environment:\n      DB_PASSWORD: %s\n"
    files = {
        f"{TOP}/a.yml": compose % "hunter1",
        f"{TOP}/b.yml": "x: 1\n",
        f"{TOP}/c.yml": "x: 1\n",
    }
    template = make_template(files)
    project = template.generate(tmp_path / "out")
    (project / "a.yml").write_text(compose % "hunter2")
    (project / "b.yml").write_text(
        "API_TOKEN: hunter2: x\n"
    )  # What the parser says of it quotes it.
    (project / ".drydock.toml").write_text('ignore = ["API_TOKEN=hunter2"]\n')
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "First")
    questions = {**QUESTIONS, "api_token": "hunter2", "db_password": ["x", "y"]}
    template.commit({"cookiecutter.json": json.dumps(questions), f"{TOP}/a.yml": compose % "hunter2 # new",
                     f"{TOP}/c.yml": "token: {{ cookiecutter.api_token }}\n"})  # fmt: skip
    for words in WAYS_OUT:
        result = drydock(words[0], project, *words[1:])
        assert result.output, words
        assert "hunter" not in result.output, words


@pytest.mark.parametrize("side", ["--local", "--upstream"])
@pytest.mark.parametrize(
    "secret",
    [
        "DB_PASSWORD=hunter2",
        "url = mysql://me:hunter2@host/db",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        "key = AKIAHUNTER2HUNTER2HU hunter2".replace(" hunter2", ""),
    ],
)
def test_no_secret_is_in_a_diff_whichever_way_it_goes(
    secret: str, side: str, drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    template = make_template({f"{TOP}/a.txt": f"{secret}\n" if side == "--local" else "x\n"})
    project = template.generate(tmp_path / "out")
    (project / "a.txt").write_text("gone\n")
    template.commit({f"{TOP}/a.txt": f"{secret}\nnew\n"})
    for words in ([], [side], ["--patch"], ["--patch", side]):
        result = drydock("diff", project, *words)
        assert "hunter2" not in result.output.lower()
    assert "hunter2" not in drydock("check", project).output.lower()


def test_a_terminal_obeys_no_name_of_the_template(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    template = make_template({f"{TOP}/a\033[31m.yml": '"k\033[0m": 1\n'})
    project = template.generate(tmp_path / "out")
    (project / "a\033[31m.yml").write_text('"k\\e[0m": 2\n# \u202e\033[2J\ttab\n')
    for words in (["check"], ["check", "--format", "markdown"], ["diff"]):
        shown = drydock(words[0], project, *words[1:]).output
        assert "\033" not in shown
        assert "\u202e" not in shown
    assert "+# \\u202e\\x1b[2J\ttab\n" in drydock("diff", project).output


POLICY = '[tool.drydock]\nyours = ["README.md"]\nignore = ["run.sh", "gone/"]\nignore-keys = ["*.yml: services.db", "*.yml: services.x"]\n'


def test_the_policy_says_what_counts(drydock: Drydock, project: Path) -> None:
    (project / "pyproject.toml").write_text(POLICY)
    edit(project / README, "A line.", "Mine.")
    edit(project / "run.sh", "echo", "printf")
    edit(project / COMPOSE, "mysql:9", "mysql:8")
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    assert "1 of your own, or accepted, differ" in result.output
    assert "Nothing matches what is ignored: gone/" in result.output
    assert "Nothing matches what is ignored: *.yml: services.x" in result.output
    assert "services.db" not in result.output
    assert "edited here, yours" in drydock("check", project, "--verbose").output
    previewed = drydock("preview", project, "--set", "slug=shop").output
    assert "would merge, yours" in previewed
    edit(project / COMPOSE, "web:1", "web:2")
    result = drydock("check", project)
    assert result.exit_code == 1
    assert "services.web.image" in result.output
    assert "mysql" not in result.output


def test_a_file_of_your_own_mutes_edits_here_and_no_news_upstream(
    drydock: Drydock, template: Template, project: Path
) -> None:
    (project / "pyproject.toml").write_text('[tool.drydock]\nyours = ["README.md", "run.sh"]\n')
    edit(project / README, "A line.", "Mine.")
    edit(project / "run.sh", "echo", "printf")
    template.commit({f"{TOP}/{README}": FILES[f"{TOP}/{README}"].replace("A line.", "Theirs.")})
    result = drydock("check", project)
    assert result.exit_code == 3, result.output
    assert "conflict, yours  README.md" in result.output
    assert "run.sh" not in result.output
    assert drydock("check", project, "--moved-ok").exit_code == 0
    assert "drydock update" in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("yours = [", "cannot be read as TOML"),
        ("mine = []", "mine is not known"),
        ("yours = 'x'", "yours is not a list"),
        ('ignore-keys = ["a"]', "is not in the form"),
    ],
)
def test_a_bad_policy_is_refused(text: str, said: str, drydock: Drydock, project: Path) -> None:
    (project / ".drydock.toml").write_text(text)
    result = drydock("check", project)
    assert result.exit_code == 2
    assert said in result.stderr
    assert ".drydock.toml" in result.stderr


def test_renamed_questions_and_choices_are_carried_over(
    drydock: Drydock, template: Template, project: Path
) -> None:
    questions = {
        "slug": "site",
        "db": ["postgresql", "mariadb"],
        "debug": False,
        "extra": "{{ cookiecutter.slug }}-x",
        "_migrations": {"renamed": {"database": "db"}, "values": {"db": {"mysql": "mariadb"}}},
    }
    files = {
        path.replace(".database", ".db"): text.replace(".database", ".db")
        for path, text in FILES.items()
    }
    template.commit({MY_CNF: None, **files, "cookiecutter.json": json.dumps(questions)})
    found = report(drydock, project)
    assert found["notes"] == [
        "database is now called db.",
        "db: mysql is now mariadb.",
        "extra is a new question; the template's default is extra='site-x'.",
    ]
    (drift,) = [one for one in found["drifts"] if one["path"] == COMPOSE]
    assert drift["upstream"]["keys"][0]["after"] == "mariadb:9"


def test_without_a_migration_a_gone_choice_asks_for_another(
    drydock: Drydock, template: Template, project: Path
) -> None:
    questions = {**QUESTIONS, "database": ["postgresql"]}
    template.commit({"cookiecutter.json": json.dumps(questions)})
    edit(project / README, "A line.", "My line.")
    result = drydock("check", project)
    assert result.exit_code == 2
    assert "has changed since is not known. database: 'mysql' is not a choice" in result.output
    assert "--set database=" in result.output
    assert "edited here  README.md" in result.output
    git(project, "init", "--quiet")
    for words in ([], ["--set", "database=oracle"]):
        refused = drydock("update", project, *words)
        assert refused.exit_code == 2
        assert "is not a choice" in refused.stderr
    (project / README).write_text("# site\n\nA line.\n")
    assert drydock("check", project, "--set", "database=postgresql").exit_code == 3


def spoil(project: Path, template: Template, what: str) -> None:
    """Bring a project into a state that cannot be compared."""
    record = project / ".cruft.json"
    match what:
        case "no record":
            record.unlink()
        case "no JSON":
            record.write_text("{")
        case "merge marks":
            record.write_text("<<<<<<< HEAD\n{}")
        case "a list":
            record.write_text("[]")
        case "no commit":
            edit(record, '"commit"', '"comit"')
        case "no answers":
            edit(record, '"cookiecutter"', '"cooky"')
        case "skip":
            edit(record, '"directory"', '"skip": 1, "directory"')
        case "odd pattern":
            (project / ".drydock.toml").write_text(r"ignore = ['a\']")
        case "null in the template":
            edit(record, '"template": "', '"template": "\\u0000')
        case "no UTF-8":
            record.write_bytes(b"\xff")
        case "vanished template":
            template.folder.rename(template.folder.with_name("elsewhere"))
        case "not a repository":
            (template.folder / ".git").rename(template.folder / "git")
        case "rewritten commit":
            edit(record, template.head(), "0123456789" * 4)
        case "option as commit":
            edit(record, template.head(), "--upload-pack=x")
        case "option as template":
            edit(record, str(template.folder), "--x")
        case "merge":
            git(project, "init", "--quiet")
            (project / ".git/MERGE_HEAD").write_text("x")
        case "deleted branch":
            edit(record, '"checkout": null', '"checkout": "followed"')
        case "taken commit":
            record.write_text(updated(record.read_text(), taken={README: "0123456789" * 4}))
        case "leaving link":
            (project / README).unlink()
            (project / README).symlink_to("/etc/hostname")
        case "bad cookiecutter.json":
            template.commit({"cookiecutter.json": "{"})
        case "list as cookiecutter.json":
            template.commit({"cookiecutter.json": "[]"})
        case "no cookiecutter.json":
            template.commit({"cookiecutter.json": None})
        case "bad Jinja":
            template.commit({f"{TOP}/x": "{% if %}"})
        case "undefined":
            template.commit({f"{TOP}/x": "{{ cookiecutter.nothing }}"})
        case "bad default":
            template.commit({"cookiecutter.json": json.dumps({**QUESTIONS, "x": "{{ 1 / 0 }}"})})
        case "refused default":
            refused = "{{ {}.pop('not like that') }}"
            template.commit({"cookiecutter.json": json.dumps({**QUESTIONS, "x": refused})})
        case "migrations":
            asked = {**QUESTIONS, "_migrations": {"renamed": ["a", "b"]}}
            template.commit({"cookiecutter.json": json.dumps(asked)})
        case "Jinja's options":
            asked = {**QUESTIONS, "_jinja2_env_vars": {"block_start_string": 1}}
            template.commit({"cookiecutter.json": json.dumps(asked)})
        case "too many blocks":
            loops = "{% for a in [1] %}" * 25 + "{% endfor %}" * 25
            template.commit({f"{TOP}/x": loops})
        case "no file name":
            template.commit({f"{TOP}/{{{{ '\\ud800' }}}}": "x"})
        case "no choices":
            template.commit({"cookiecutter.json": json.dumps({**QUESTIONS, "x": []})})
        case "no folder":
            git(template.folder, "rm", "-r", "--quiet", TOP)
            template.commit({"README.md": "x"})


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("no record", "drydock init"),
        ("no JSON", "is not JSON"),
        ("merge marks", "merge conflict"),
        ("a list", "not a JSON object"),
        ("no commit", "`commit` is missing"),
        ("no answers", "(the answers) is missing"),
        ("skip", "`skip` is not a list"),
        ("no UTF-8", "cannot be read"),
        ("vanished template", "--template"),
        ("not a repository", "not a git repository"),
        ("rewritten commit", "drydock init --force"),
        ("option as commit", "is not a commit"),
        ("option as template", "is not a template"),
        ("merge", "in the middle of a merge"),
        ("odd pattern", "'a\\\\': is not a pattern"),
        ("null in the template", "`template` is missing or not a string"),
    ],
)
def test_what_cannot_be_compared_is_one_message(
    what: str, said: str, drydock: Drydock, template: Template, project: Path
) -> None:
    spoil(project, template, what)
    before = {
        path.name: os.readlink(path) if path.is_symlink() else path.stat().st_mtime_ns
        for path in project.iterdir()
    }
    result = drydock("check", project)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert result.stderr.startswith("drydock: ")
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    after = {
        path.name: os.readlink(path) if path.is_symlink() else path.stat().st_mtime_ns
        for path in project.iterdir()
    }
    assert before == after


@pytest.mark.parametrize(
    ("what", "path", "said"),
    [
        ("leaving link", README, "README.md: is a link that leaves the project"),
        ("taken commit", README, "README.md: is of another commit of the template"),
        ("deleted branch", None, "has no branch or tag followed"),
        ("bad Jinja", "x", "x: cannot be rendered"),
        ("undefined", "x", "x: cannot be rendered"),
        ("too many blocks", "x", "x: cannot be rendered"),
        ("bad cookiecutter.json", None, "is not JSON"),
        ("list as cookiecutter.json", None, "is not a JSON object"),
        ("no cookiecutter.json", None, "has no cookiecutter.json"),
        ("bad default", None, "the default of x cannot be rendered"),
        ("refused default", None, "the default of x cannot be rendered: not like that"),
        ("migrations", None, "_migrations is not in the form"),
        ("Jinja's options", None, "_jinja2_env_vars"),
        ("no choices", None, "x has no choices"),
        ("no file name", None, "which is no file name"),
        ("no folder", None, "has no folder named like"),
    ],
)
def test_what_is_not_known_is_told_and_the_rest_is_compared(
    what: str, path: str | None, said: str, drydock: Drydock, template: Template, project: Path
) -> None:
    edit(project / COMPOSE, "mysql:9", "mysql:8")
    spoil(project, template, what)
    found = report(drydock, project)
    assert found["status"] == 2
    drifts = {drift["path"]: drift for drift in found["drifts"]}
    assert drifts.pop(COMPOSE)["state"] == "edited here"
    if path:
        drift = drifts.pop(path)
        assert drift["state"] == "not known"
        assert said in drift["reason"]
        assert found["not_known"] is None
    else:
        assert said in found["not_known"]
    assert not drifts
    for form in ("text", "markdown"):
        told = drydock("check", project, "--format", form)
        assert told.exit_code == 2
        assert said in told.output
        assert "mysql:9 -> mysql:8" in told.output
    lines = drydock("diff", project)
    assert lines.exit_code == 2
    assert said in lines.stderr
    assert "+    image: mysql:8" in lines.stdout
    local = drydock("diff", project, "--local")
    assert local.exit_code == (2 if path else 0)
    refused = drydock("diff", project, "--patch")
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert not refused.stdout


def test_what_is_not_known_is_neither_restored_nor_accepted(
    drydock: Drydock, template: Template, project: Path
) -> None:
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "First")
    spoil(project, template, "leaving link")
    spoil(project, template, "bad default")
    edit(project / COMPOSE, "mysql:9", "mysql:8")
    git(project, "commit", "--quiet", "--all", "--message", "Edit")
    assert drydock("restore", project, ".").exit_code == 2
    for words in (
        ["restore", README],
        ["restore", f"{README}/"],
        ["accept", README, "--reason", "x"],
    ):
        refused = drydock(words[0], project, *words[1:])
        assert refused.exit_code == 2
        assert "is a link that leaves the project" in refused.stderr
    assert drydock("restore", project, COMPOSE).exit_code == 0
    assert "mysql:9" in (project / COMPOSE).read_text()


def test_a_full_disk_is_one_message(
    drydock: Drydock, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr("drydock.inspect.inspect", full)
    result = drydock("check", project)
    assert result.exit_code == 2
    assert result.stderr == "drydock: somewhere: No space left on device\n"
    assert result.stdout == ""
    for words in (["--json"], ["--format", "json"]):
        told = json.loads(drydock("check", project, *words).stdout)
        assert told == {"status": 2, "error": "somewhere: No space left on device"}


def test_without_a_home_folder_the_cache_is_asked_for(
    drydock: Drydock, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DRYDOCK_CACHE", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    result = drydock("check", project)
    assert result.exit_code == 2
    assert "Set HOME or DRYDOCK_CACHE" in result.stderr


def test_every_failure_is_json_for_a_machine(
    drydock: Drydock, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = drydock("check", project, "--json", "--fail-on", "nothing")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"].startswith("Invalid value")
    assert "Usage: " in result.stderr

    def fail(*_: object, **__: object) -> None:
        raise LookupError("\033[31mx")

    monkeypatch.setattr("drydock.inspect.inspect", fail)
    result = drydock("check", project, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"].startswith(
        "LookupError: \033[31mx. This is a mistake"
    )
    assert "\033" not in result.stderr
    monkeypatch.setenv("DRYDOCK_DEBUG", "1")
    assert isinstance(drydock("check", project).exception, LookupError)


def test_output_that_is_not_utf_8_is_escaped(project: Path, template: Template) -> None:
    edit(project / ".cruft.json", '"debug"', '"가": 1, "debug"')
    template.commit({})
    runner = CliRunner(charset="latin-1")
    result = runner.invoke(main, ["check", "--project", str(project)])
    assert "no longer asks for \\uac00." in result.output
    result = runner.invoke(main, ["check", "--project", str(project), "--json"])
    assert "가" in json.loads(result.stdout)["notes"][0]


def test_an_interrupt_has_its_own_status(
    drydock: Drydock, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("drydock.inspect.inspect", interrupted)
    assert drydock("check", project).exit_code == 130


# Each takes longer to import than click alone.
SLOW = {"arrow.arrow", "cookiecutter", "drydock.inspect", "jinja2", "pathspec", "requests", "yaml"}


def loaded(*calls: list[str]) -> set[str]:
    """Return the slow modules that some commands import, in a process of their own."""
    program = (
        f"import sys; from drydock.cli import main; [main(words, standalone_mode=False) for words in {calls!r}]; "
        f"print('|', *({SLOW} & {{*sys.modules}}))"
    )
    return {*succeed(tool("python"), "-c", program, cwd=ROOT).rpartition("|")[2].split()}


def test_help_imports_nothing_that_is_slow() -> None:
    assert loaded(["--help"], *([name, "--help"] for name in COMMANDS)) == set()


def test_a_check_imports_only_what_it_needs(project: Path) -> None:
    assert loaded(["check", "--project", str(project)]) == {"drydock.inspect", "jinja2"}


def test_the_program_itself(project: Path, cache: Path) -> None:
    command = [tool("python"), "-m", "drydock", "check", "--project", str(project)]
    root = Path(package.__file__).parent.parent
    env = {**os.environ, "PYTHONPATH": str(root), "NO_COLOR": "1"}
    result = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert result.returncode == 0, result.stderr
    assert "4 same" in result.stdout
    assert (cache / "jinja").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("stream", [">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["check", "diff", "diff --patch"])
def test_a_stream_may_be_closed(project: Path, stream: str, command: str) -> None:
    (project / README).write_text("mine\n")
    script = f"exec {sys.executable} -m drydock {command} --project {project} {stream}"
    result = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == (1 if command.startswith("check") else 0), result.stderr
    assert result.stderr == ""
