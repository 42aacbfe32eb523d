"""What is rendered is what cookiecutter writes, byte for byte; and a template cannot get out."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drydock import render
from drydock.answers import resolve
from drydock.errors import DrydockError
from drydock.source import open_source
from drydock.tree import Tree
from tests.support.catalogue import COMBINATIONS, ROOT
from tests.support.choices import label
from tests.support.projects import Bake
from tests.support.templates import FILES, TOP, Drydock, MakeTemplate, Template, git

# The hook writes these; drydock does not run it.
OF_THE_HOOK = {".env", ".cruft.json"}


def working_tree() -> Tree:
    """Return the files of this template as they are now, committed or not."""
    names = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    every = render.read(ROOT / TOP.replace("slug", "project_slug"))
    tree = {f"{{{{cookiecutter.project_slug}}}}/{path}": file for path, file in every.items()}
    tree = {path: file for path, file in tree.items() if path in names}
    tree |= {f"templates/{path}": file for path, file in render.read(ROOT / "templates").items()}
    return tree | {"cookiecutter.json": render.read(ROOT)["cookiecutter.json"]}


@pytest.fixture(scope="module")
def ours() -> Tree:
    """Return the files of this template."""
    return working_tree()


@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_this_template_gives_what_cookiecutter_writes(
    answers: dict[str, str], bake: Bake, ours: Tree, cache: Path
) -> None:
    written = {
        path: file for path, file in render.read(bake(**answers)).items() if path not in OF_THE_HOOK
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
    written = render.read(template.generate(tmp_path / "out", record=False, debug=True))
    source = open_source(str(template.folder))
    tree, resolved = render.rendered(
        source.tree(source.resolve(None)), {"debug": True}, where="t", extra={"_template": "t"}
    )
    assert tree == written
    assert resolved.public["choice"] == "site-a"


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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
        ({f"{TOP}/{{{{ cookiecutter.up }}}}/x": "a"}, {"up": ".git/hooks"}, "outside the project"),
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
    assert "cookiecutter cannot generate" in result.stderr


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
