"""What is rendered is what cookiecutter writes, byte for byte; and a template cannot get out."""

import json
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.utils import create_env_with_context
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drydock import extensions, limits, render
from drydock.answers import resolve
from drydock.errors import DrydockError
from drydock.record import Record
from drydock.source import open_source
from drydock.tree import File, Tree, read_tree
from tests.support.catalogue import COMBINATIONS, ROOT
from tests.support.choices import label
from tests.support.projects import Bake
from tests.support.templates import FILES, TOP, Drydock, MakeTemplate, Template, git

# The hook writes these; drydock does not run it.
OF_THE_HOOK = {".env", ".cruft.json"}


def working_tree() -> Tree:
    """Return the files of this template as they are now, committed or not."""
    names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    every = read_tree(ROOT / TOP.replace("slug", "project_slug"))
    tree = {f"{{{{cookiecutter.project_slug}}}}/{path}": file for path, file in every.items()}
    tree = {path: file for path, file in tree.items() if path in names}
    tree |= {f"templates/{path}": file for path, file in read_tree(ROOT / "templates").items()}
    return tree | {"cookiecutter.json": read_tree(ROOT)["cookiecutter.json"]}


@pytest.fixture(scope="module")
def ours() -> Tree:
    """Return the files of this template."""
    return working_tree()


@pytest.mark.parametrize("answers", [*COMBINATIONS, {"language_code": "ko"}], ids=label)
def test_this_template_gives_what_cookiecutter_writes(
    answers: dict[str, str], bake: Bake, ours: Tree, cache: Path
) -> None:
    written = {
        path: file for path, file in read_tree(bake(**answers)).items() if path not in OF_THE_HOOK
    }
    for _ in range(2):  # The second time from the cache.
        tree, _ = render.rendered(ours, {}, where="this", given=answers, cache=cache)
        assert tree == written


ODD: dict[str, str | bytes | None] = {
    f"{TOP}/copied/{{{{ raw }}}}.txt": "{{ raw }}",
    f"{TOP}/some/copied.html": "{{ raw }}",
    f"{TOP}/{{{{cookiecutter.slug}}}}/a.py": "{% include 'part.txt' %}{{ cookiecutter._template is defined }}",
    f"{TOP}/{{% if cookiecutter.debug %}}debug{{% endif %}}": "x",
    f"{TOP}/f/{{% if cookiecutter.debug %}}debug{{% endif %}}": "x",
    f"{TOP}/crlf.txt": "a {{ cookiecutter.slug }}\r\nb\r\n",
    f"{TOP}/plain.txt": "a\r\nb\nc\rd }}\n\n",
    f"{TOP}/plain-cr.txt": "a\rb\r",
    f"{TOP}/no-newline": "{{ cookiecutter.list.a }}",
    f"{TOP}/binary": b"{{ raw }}\0\xff\xfe",
    f"{TOP}/image.png": b"{{ raw }}",
    f"{TOP}/empty": "",
    f"{TOP}/nested.txt": "{% import 'macros.txt' as m %}{{ m.hello('x') }}{{ cookiecutter.__derived }}{{ 'a b'|slugify }}",
    "templates/part.txt": "part of {{ cookiecutter.slug }}\n",
    "templates/macros.txt": "{% macro hello(name) %}hello {{ name }}{% endmacro %}",
}  # fmt: skip
ODD_QUESTIONS = {
    "slug": "site",
    "title": "{{ cookiecutter.slug|upper }}",
    "debug": False,
    "number": 3,
    "choice": ["{{ cookiecutter.slug }}-a", "b"],
    "list": {"a": "{{ cookiecutter.title }}"},
    "__derived": "{{ cookiecutter.number }}",
    "_private": "{{ raw }}",
    "_copy_without_render": ["copied", "*.html"],
}


@pytest.mark.parametrize(
    "more", [{}, {"_new_lines": "\r\n"}, {"_jinja2_env_vars": {"trim_blocks": True}}]
)
def test_odd_files_are_rendered_as_cookiecutter_does(
    more: dict[str, Any], make_template: MakeTemplate, tmp_path: Path
) -> None:
    template = make_template(ODD, {**ODD_QUESTIONS, **more})
    written = read_tree(template.generate(tmp_path / "out", record=False, debug=True))
    source = open_source(str(template.folder))
    tree, resolved = render.rendered(
        source.tree(source.resolve(None)), {"debug": True}, where="t", extra={"_template": "t"}
    )
    assert tree == written
    assert resolved.public["choice"] == "site-a"


def test_delimiters_of_its_own_are_for_names_and_defaults_as_well(
    make_template: MakeTemplate, tmp_path: Path
) -> None:
    options = {
        "variable_start_string": "[[",
        "variable_end_string": "]]",
        "block_start_string": "<%",
        "block_end_string": "%>",
        "line_statement_prefix": "##",
    }
    top = "[[cookiecutter.slug]]"
    files: dict[str, str | bytes | None] = {
        f"{top}/[[cookiecutter.title]].txt": "[[ cookiecutter.title ]] {{ raw }}\n## if true\nx\n## endif\n",
        f"{top}/<% if cookiecutter.debug %>debug<% endif %>": "x",
        f"{top}/{{{{raw}}}}": "x",
    }
    questions = {
        "slug": "site",
        "title": "[[ cookiecutter.slug|upper ]]",
        "debug": True,
        "_jinja2_env_vars": options,
    }
    template = make_template(files, questions)
    written = read_tree(template.generate(tmp_path / "out", record=False))
    tree, _ = render.rendered(
        open_source(str(template.folder)).tree(template.head()), {}, where="t"
    )
    assert tree == written
    assert {*tree} == {"SITE.txt", "debug", "{{raw}}"}


@pytest.mark.parametrize(
    ("private", "expected"),
    [
        ({}, "True False True False"),
        ({"_template": "t", "_commit": "c"}, "True True False False"),
        ({"_template": "t", "_checkout": "v1", "_output_dir": "/x", "_own": 1}, "True False True True"),
    ],
    ids=["plain", "cruft", "cookiecutter"],
)  # fmt: skip
def test_private_variables_are_those_of_the_record(
    private: dict[str, str],
    expected: str,
    drydock: Drydock,
    make_template: MakeTemplate,
    tmp_path: Path,
) -> None:
    names = ("_template", "_commit", "_checkout", "_output_dir")
    text = " ".join(f"{{{{ cookiecutter.{name} is defined }}}}" for name in names)
    template = make_template({f"{TOP}/x": text, f"{TOP}/y": "{{ cookiecutter._own is defined }}"})
    project = template.generate(tmp_path / "out")
    record = json.loads((project / ".cruft.json").read_text())
    record["context"]["cookiecutter"] |= private
    (project / ".cruft.json").write_text(json.dumps(record))
    (project / "x").write_text(expected)
    result = drydock("check", project)
    assert result.exit_code == 0, result.output


@settings(max_examples=settings().max_examples // 7, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=20),
    database=st.sampled_from(["mysql", "postgresql"]),
    debug=st.booleans(),
)  # fmt: skip
def test_an_untouched_project_is_the_same_whatever_its_answers(
    name: str,
    database: str,
    debug: bool,
    drydock: Drydock,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    git(folder, "init", "--quiet", "template")
    template = Template(folder / "template")
    questions = {"slug": "site", "name": "", "database": ["mysql", "postgresql"], "debug": False}
    files = {**FILES, f"{TOP}/name.txt": "{{ cookiecutter.name }}|{{ cookiecutter.debug }}\n"}
    template.commit({"cookiecutter.json": json.dumps(questions), **files})
    # cookiecutter renders given values, which drydock does not: braces stand for themselves.
    quoted = name.replace("{", "{{ '{' }}")
    project = template.generate(folder, name=quoted, database=database, debug=debug)
    record = json.loads((project / ".cruft.json").read_text())
    record["context"]["cookiecutter"]["name"] = name
    (project / ".cruft.json").write_text(json.dumps(record))
    result = drydock("check", project)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("files", "questions", "said"),
    [
        ({f"{TOP}/x": "{{ ''.__class__.__mro__[1].__subclasses__() }}"}, {}, "cannot be rendered"),
        ({f"{TOP}/x": "{{ cookiecutter.__class__.__init__.__globals__ }}"}, {}, "cannot be rendered"),
        ({f"{TOP}/x": "{% include '../../secret' %}"}, {}, "does not exist"),
        ({f"{TOP}/x": "{% include '/etc/hostname' %}"}, {}, "does not exist"),
        ({f"{TOP}/{{{{ cookiecutter.up }}}}x": "a"}, {"up": "../"}, "outside the project"),
        ({f"{TOP}/{{{{ cookiecutter.up }}}}x": "a"}, {"up": "/tmp/"}, "outside the project"),  # noqa: S108
        ({f"{TOP}/{{{{ cookiecutter.up }}}}/x": "a"}, {"up": ".git/hooks"}, "part of a repository"),
        ({f"{TOP}/{{{{ cookiecutter.up }}}}/x": "a"}, {"up": "sub/.git"}, "part of a repository"),
        ({f"{TOP}/sub/{{{{ cookiecutter.up }}}}": "a"}, {"up": ".git"}, "part of a repository"),
        ({f"{TOP}/sub/{{{{ cookiecutter.up }}}}": "a"}, {"up": ".Git"}, "part of a repository"),
        ({f"{TOP}/sub/{{{{ cookiecutter.up }}}}": "a"}, {"up": ".git. ."}, "part of a repository"),
        ({f"{TOP}/sub/{{{{ cookiecutter.up }}}}/x": "a"}, {"up": "GIT~1"}, "part of a repository"),
        ({f"{TOP}/sub/{{{{ cookiecutter.up }}}}/x": "a"}, {"up": ".git::$INDEX_ALLOCATION"}, "part of a repository"),
        ({f"{TOP}/sub/{{{{ cookiecutter.up }}}}/x": "a"}, {"up": ".g\u200cit"}, "part of a repository"),
        ({f"{TOP}/raw/{{{{ cookiecutter.up }}}}/x": "a"}, {"up": ".git", "_copy_without_render": ["raw/{{*"]}, "part of a repository"),
        ({f"{TOP}/x": "a"}, {"_extensions": ["local.Extension"]}, "--hooks"),
        ({f"{TOP}/x": "a"}, {"_extensions": ["jinja2.ext.nothing"]}, "_extensions"),
        ({f"{TOP}/x": "a"}, {"_jinja2_env_vars": {"nothing": 1}}, "_jinja2_env_vars"),
        ({f"{TOP}/x": "a\udcff".encode(errors="surrogateescape")}, {}, "is not UTF-8"),
    ],
)  # fmt: skip
def test_a_hostile_template_cannot_get_out(
    files: dict[str, str | bytes],
    questions: dict[str, Any],
    said: str,
    make_template: MakeTemplate,
    tmp_path: Path,
) -> None:
    (tmp_path / "secret").write_text("hunter2")
    template = make_template(files, {"slug": "site", **questions})
    source = open_source(str(template.folder))
    tree = source.tree(source.resolve(None))
    with pytest.raises(DrydockError, match=said):
        render.rendered(tree, {}, where="t")


@pytest.mark.parametrize("words", [["check"], ["update"], ["check", "--hooks"]])
def test_no_repository_is_planted(
    drydock: Drydock, template: Template, project: Path, words: list[str]
) -> None:
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "First")
    template.commit({f"{TOP}/sub/{{{{ '.GIT' }}}}/config": "[core]\nfsmonitor = touch ran\n"})
    result = drydock(words[0], project, *words[1:])
    assert result.exit_code == 2
    assert "would write 'sub/.GIT/config', which git would take for a part" in result.output
    assert not (project / "sub").exists()


@pytest.mark.parametrize("name", [".github", ".gitignore", "git", "a.git", "git~2", ".git-x"])
def test_other_names_are_written(make_template: MakeTemplate, name: str) -> None:
    template = make_template({f"{TOP}/sub/{name}": "a"}, {"slug": "site"})
    source = open_source(str(template.folder))
    tree, _ = render.rendered(source.tree(source.resolve(None)), {}, where="t")
    assert [*tree] == [f"sub/{name}"]


def test_hooks_run_only_when_asked_for(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    hook = f"import pathlib; pathlib.Path('made.txt').write_text('x'); open({str(tmp_path / 'ran')!r}, 'w')"
    template = make_template({**FILES, "hooks/post_gen_project.py": hook})
    project = template.generate(tmp_path / "out")
    assert drydock("check", project).exit_code == 0
    assert not (tmp_path / "ran").exists()
    assert "made.txt" in drydock("check", project, "--hooks").output
    assert (tmp_path / "ran").exists()
    template.commit({"hooks/post_gen_project.py": "raise SystemExit(1)"})
    result = drydock("check", project, "--hooks")
    assert result.exit_code == 2
    assert "cookiecutter cannot generate" in result.output


def test_what_hooks_print_is_not_the_report(
    drydock: Drydock,
    make_template: MakeTemplate,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    hook = "import subprocess; print('loud', flush=True); subprocess.run(['echo', 'louder'])"
    template = make_template({**FILES, "hooks/post_gen_project.py": hook})
    project = template.generate(tmp_path / "out")
    result = drydock("check", project, "--hooks", "--json")
    assert json.loads(result.stdout)["status"] == 0
    told = capfd.readouterr()
    assert told.err.split() == ["loud", "louder"]
    assert told.out == ""


def test_each_commit_has_its_own_extensions(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    code = """\
from jinja2.ext import Extension
class Own(Extension):
    def __init__(self, environment):
        super().__init__(environment)
        environment.globals["own"] = "first"
"""
    questions = {"slug": "site", "_extensions": ["own.Own"]}
    template = make_template({"own.py": code, f"{TOP}/x": "{{ own }}"}, questions)
    project = tmp_path / "project"
    project.mkdir()
    (project / "x").write_text("first")
    record = Record(template=str(template.folder), commit=template.head(), answers={})
    (project / ".cruft.json").write_text(record.dumps())
    template.commit({"own.py": code.replace("first", "second")})
    result = drydock("check", project, "--hooks")
    assert "changed upstream  x" in result.output
    template.commit({"own.py": "import os; os._exit(1)"})
    result = drydock("check", project, "--hooks")
    assert "ended the process" in result.output
    assert "own" not in sys.modules


@pytest.mark.parametrize("place", ["folder", "worktree", "mirror"])
def test_an_extension_may_ask_git_for_the_commit(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path, place: str
) -> None:
    code = """\
import subprocess
from jinja2.ext import Extension
class Own(Extension):
    def __init__(self, environment):
        super().__init__(environment)
        environment.globals["log"] = lambda: subprocess.check_output(["git", "log", "--format=%H %s"], text=True)
"""
    questions = {"slug": "site", "_extensions": ["own.Own"]}
    template = make_template({"own.py": code, f"{TOP}/x": "{{ log() }}"}, questions)
    address = str(template.folder)
    if place == "worktree":
        address = str(tmp_path / "worktree")
        git(template.folder, "worktree", "add", "--quiet", "--detach", address)
    elif place == "mirror":
        address = f"file://{address}"
    project = tmp_path / "project"
    project.mkdir()
    (project / "x").write_text(f"{template.head()} First\n")
    record = Record(template=address, commit=template.head(), answers={})
    (project / ".cruft.json").write_text(record.dumps())
    newer = template.commit({"unrelated": "x"})
    result = drydock("check", project, "--hooks", "--to", newer)
    assert "changed upstream  x  +1 -0\n" in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "seconds"),
        ("{{ 7 ** (10 ** 8) }}", "seconds"),
        ("{{ 'x' * 9999999999 }}", "MiB of memory"),
        ("{{ ('%09999999999d' % 1)|length }}", "MiB of memory"),
    ],
    ids=["loop", "power", "text", "format"],
)  # fmt: skip
def test_an_endless_or_greedy_template_is_stopped(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.1)
    monkeypatch.setattr(limits, "SECONDS_PER_FILE", 0)
    before = resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGPROF)
    tree = {"cookiecutter.json": File(data=b'{"slug": "x"}'), f"{TOP}/x": File(data=text.encode())}
    with pytest.raises(DrydockError, match=f"takes more than .* {said}"):
        render.rendered(tree, {}, where="t", partial=True)
    assert before == (resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGPROF))
    questions = {"slug": "x", "endless": text}
    tree["cookiecutter.json"] = File(data=json.dumps(questions).encode())
    with pytest.raises(DrydockError, match=f"takes more than .* {said}"):
        render.rendered(tree, {}, where="t")


def test_a_recorded_answer_is_never_a_template(make_template: MakeTemplate) -> None:
    template = make_template(
        {f"{TOP}/x": "{{ cookiecutter.slug }}"}, {"slug": "a", "other": "{{ cookiecutter.slug }}"}
    )
    tree = open_source(str(template.folder)).tree(template.head())
    rendered, resolved = render.rendered(tree, {"slug": "{{ 1 + 1 }}"}, where="t")
    assert rendered["x"].data == b"{{ 1 + 1 }}"
    assert resolved.public["other"] == "{{ 1 + 1 }}"


def test_answers_keep_the_order_of_the_questions() -> None:
    environment = render.make_environment({}, "t")
    resolved = resolve(environment, {"b": {"x": "y"}, "a": None, "c": [1, 2]}, {}, "t")
    assert list(resolved.public) == ["b", "a", "c"]
    assert resolved.public == {"b": {"x": "y"}, "a": None, "c": "1"}


def test_the_extensions_of_cookiecutter_do_what_they_do_there(tmp_path: Path) -> None:
    text = (
        "{{ {'b': 1}|jsonify(indent=1) }} {{ ['A b', 'c']|map('slugify')|list }} "
        "{{ random_ascii_string(4)|length }} {{ uuid4()|length }} {{ uuid4()|length }} "
        "{% now 'utc', '%Y' %} {% now 'utc' + 'weeks=60', '%Y' %} {% now 'local' %}"
    )
    expected = create_env_with_context({"cookiecutter": {}}).from_string(text).render()
    tree = {
        name: File(data=data)
        for name, data in (("cookiecutter.json", b'{"slug": "a"}'), (f"{TOP}/x", text.encode()))
    }
    for _ in range(2):  # The second time, the template has been compiled already.
        found, _ = render.rendered(tree, {"slug": "a"}, where="t", cache=tmp_path)
        assert found["x"].text == expected


def test_a_module_comes_when_something_of_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "colorsys", extensions.Later("colorsys"))
    import colorsys

    assert isinstance(sys.modules["colorsys"], extensions.Later)
    assert colorsys.rgb_to_hsv(1, 1, 1) == (0, 0, 1)
    assert colorsys.hsv_to_rgb(0, 0, 1) == (1, 1, 1)
    assert not isinstance(sys.modules["colorsys"], extensions.Later)
