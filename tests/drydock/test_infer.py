"""`drydock init`: the commit and the answers that a project was made with."""

import json
from pathlib import Path

import pytest

from drydock import infer as infer_module
from drydock.infer import Here, Marks, Score, best_of, between, infer
from tests.drydock.test_commands import edit, found_states
from tests.support.templates import FILES, QUESTIONS, TOP, Drydock, MakeTemplate, Template, git


def test_init_finds_commit_and_answers(
    drydock: Drydock, template: Template, tmp_path: Path
) -> None:
    template.commit({f"{TOP}/a.txt": "a\n"})
    wanted = template.commit({f"{TOP}/b.txt": "{{ cookiecutter.debug }}\n"})
    project = template.generate(
        tmp_path / "out", record=False, slug="shop", database="postgresql", debug=True
    )
    template.commit({f"{TOP}/c.txt": "c\n"})
    shown = drydock("init", project, str(template.folder), "--dry-run")
    assert "slug = shop" in shown.output
    assert not (project / ".cruft.json").exists()
    result = drydock("init", project, str(template.folder))
    assert result.exit_code == 0, result.output
    record = json.loads((project / ".cruft.json").read_text())
    assert record["commit"] == wanted
    answers = {"slug": "shop", "database": "postgresql", "debug": True}
    private = {"_template": str(template.folder), "_commit": wanted, "_checkout": None}
    assert record["context"]["cookiecutter"] == {**answers, **private}
    assert found_states(drydock, project) == {"c.txt": "new upstream"}
    again = drydock("init", project, str(template.folder))
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_init_records_the_variables_that_it_rendered_with(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    names = ("_template", "_commit", "_checkout")
    text = "".join(f"{{{{ cookiecutter.{name} }}}}\n" for name in names)
    template = make_template({f"{TOP}/made.txt": text, f"{TOP}/a.txt": "a\n"})
    project = tmp_path / "site"
    project.mkdir()
    (project / "a.txt").write_text("a\n")
    (project / "made.txt").write_text(f"{template.folder}\n{template.head()}\nNone\n")
    template.commit({f"{TOP}/a.txt": "b\n"})
    assert "2 of 2 files are identical" in drydock("init", project, str(template.folder)).output
    assert found_states(drydock, project) == {
        "a.txt": "changed upstream", "made.txt": "changed upstream",
    }  # fmt: skip
    git(project, "init", "--quiet")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "First")
    assert drydock("update", project).exit_code == 0
    assert template.head() in (project / "made.txt").read_text()
    assert found_states(drydock, project) == {}


def test_init_says_what_it_is_not_sure_of_and_takes_what_is_known(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    template = make_template({f"{TOP}/a.txt": "a\n"})
    project = template.generate(tmp_path / "out", record=False)
    result = drydock("init", project, str(template.folder), "--set", "database=postgresql")
    assert "database = postgresql\n" in result.output
    assert "debug = False  (not sure" in result.output
    strange = tmp_path / "strange"
    strange.mkdir()
    assert "nothing in common" in drydock("init", strange, str(template.folder)).stderr


def test_init_refuses_what_is_nothing_like_the_template(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    lines = "".join(f"line {number}\n" for number in range(100))
    template = make_template({f"{TOP}/long.txt": lines, f"{TOP}/manage.py": "main()\n"})
    (tmp_path / "other").mkdir()
    (tmp_path / "other/manage.py").write_text("main()\n")
    result = drydock("init", tmp_path / "other", str(template.folder))
    assert result.exit_code == 2
    assert "is nothing like" in result.stderr
    assert "1 of 2 files are identical, 1% of the lines" in result.stderr
    assert not (tmp_path / "other/.cruft.json").exists()


def test_init_finds_texts_in_names_and_lines(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    files = {
        f"{TOP}/{{{{cookiecutter.slug}}}}/app.py": "NAME = '{{ cookiecutter.slug }} by {{ cookiecutter.author }}'\n",
        f"{TOP}/README.md": "# {{ cookiecutter.slug }}\n{{ cookiecutter.author }}\n",
        f"{TOP}/icon": b"\0",
    }
    questions = {
        "slug": "site",
        "author": "Nobody",
        "kind": ["a", "b"],
        "__x": "{{ cookiecutter.slug }}",
    }
    template = make_template(files, questions)
    project = template.generate(tmp_path / "out", record=False, slug="shop", author="Ann Other")
    edit(project / "README.md", "# shop", "# My shop")
    result = drydock("init", project, str(template.folder))
    assert "slug = shop\n" in result.output
    assert "author = Ann Other\n" in result.output
    assert found_states(drydock, project) == {"README.md": "edited here"}


def test_init_passes_over_commits_that_cannot_be_rendered(
    drydock: Drydock, template: Template, tmp_path: Path
) -> None:
    project = template.generate(tmp_path / "out", record=False)
    good = template.head()
    template.commit({f"{TOP}/x": "{% broken"})
    assert drydock("init", project, str(template.folder)).exit_code == 0
    assert good in (project / ".cruft.json").read_text()
    nothing = drydock("init", project, str(template.folder), "--commits", "1", "--force")
    assert "None of 1 commits can be rendered" in nothing.stderr
    assert "x: cannot be rendered" in nothing.stderr
    assert (
        "runs no hooks"
        in drydock("init", project, str(template.folder), "--hooks", "--force").stderr
    )


def add_lines(template: Template, count: int) -> list[str]:
    """Commit a line more again and again, and something else in between; return the commits, the newest first."""
    commits = []
    for number in range(count):
        lines = "".join(f"line {one}\n" for one in range(number + 1))
        commits.append(
            template.commit({f"{TOP}/lines.txt": lines, f"{TOP}/other.txt": f"{number}\n"})
        )
        template.commit({"README.md": f"{number}\n"})
    return commits[::-1]


def test_init_searches_all_commits_and_tries_few(
    drydock: Drydock, template: Template, tmp_path: Path
) -> None:
    commits = add_lines(template, 40)
    made = {}
    for number in (0, 17, 39):
        git_commit = commits[number]
        made[git_commit] = template_at(template, git_commit, tmp_path / str(number))
    for commit, project in made.items():
        found = infer(project, str(template.folder))
        # The next commit changed nothing of the template: it is newer, and as good.
        assert git(template.folder, "rev-parse", f"{found.record.commit}^") == commit
        assert (found.identical, found.likeness, found.alike) == (found.files, 1.0, ())
        assert (found.commits, found.states) == (81, 41)
        assert found.tried <= 24
    shown = drydock("init", made[commits[17]], str(template.folder), "--dry-run").output
    assert "Searched 81 commits: 41 differ in what they render" in shown
    few = drydock("init", made[commits[17]], str(template.folder), "--dry-run", "--commits", "3")
    assert "Searched 3 commits: 2 differ" in few.output


def template_at(template: Template, commit: str, output: Path) -> Path:
    """Return a project that was generated at a commit."""
    git(template.folder, "checkout", "--quiet", commit)
    try:
        return template.generate(output, record=False)
    finally:
        git(template.folder, "checkout", "--quiet", "main")


def test_init_searches_the_history_of_a_templates_folder(
    make_template: MakeTemplate, tmp_path: Path
) -> None:
    template = make_template(name="plain")
    project = template.generate(tmp_path / "out", record=False)
    inside = {f"a[b]/{path}": text for path, text in FILES.items()}
    outer = make_template(inside | {"a[b]/cookiecutter.json": json.dumps(QUESTIONS)}, name="outer")
    outer.commit({f"ab/{TOP}/x": "x"})
    wanted = outer.commit({f"{TOP}/x": "x"})
    outer.commit({f"a[b]/{TOP}/x": "x"})
    found = infer(project, str(outer.folder), directory="a[b]/")
    assert found.record.commit == wanted
    assert found.states == 2


def test_init_says_when_commits_fit_as_well(
    drydock: Drydock, template: Template, tmp_path: Path
) -> None:
    project = template.generate(tmp_path / "out", record=False)
    edit(project / "README.md", "A line.", "Mine.")
    old = template.head()
    new = template.commit({f"{TOP}/README.md": "# {{ cookiecutter.slug }}\n\nAnother line.\n"})
    shown = drydock("init", project, str(template.folder))
    assert f"Not sure of the commit: {old[:8]} fit as well." in shown.output
    assert new in (project / ".cruft.json").read_text()


def test_init_keeps_what_is_skipped(drydock: Drydock, template: Template, project: Path) -> None:
    record = project / ".cruft.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "skip": ["README.md"]}))
    (project / "README.md").write_text("mine\n")
    result = drydock("init", project, str(template.folder), "--force")
    assert "3 of 3 files are identical" in result.output
    assert json.loads(record.read_text())["skip"] == ["README.md"]
    record.write_text("broken")
    assert drydock("init", project, str(template.folder), "--force").exit_code == 0


def test_init_leaves_out_what_cannot_be_read(
    drydock: Drydock, template: Template, tmp_path: Path
) -> None:
    project = template.generate(tmp_path / "out", record=False)
    (project / "my.cnf").unlink()
    (project / "my.cnf").symlink_to("/etc/hostname")
    shown = drydock("init", project, str(template.folder))
    assert shown.exit_code == 0, shown.output
    assert "3 of 3 files are identical, 100% of the lines." in shown.output
    assert "Not compared: " in shown.output
    assert "my.cnf: is a link that leaves the project" in shown.output


@pytest.mark.parametrize("bound", ["RENDERS", "SECONDS"])
def test_init_ends_and_says_that_it_is_not_sure(
    bound: str,
    drydock: Drydock,
    template: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = template.generate(tmp_path / "out", record=False)
    monkeypatch.setattr(infer_module, bound, -1)
    result = drydock("init", project, str(template.folder))
    assert result.exit_code == 0
    assert "Not sure of anything: the search took too long" in result.output
    assert "slug = site  (not sure" in result.output


def test_a_text_is_taken_apart_in_one_pass() -> None:
    assert between(["a ", " by ", "!"], "a x by y!") == ["x", "y"]
    assert between(["", "/", ".py"], "a/b/c.py") == ["a", "b/c"]
    for text in ("a x!", "a  by y", "b x by y!", "a x by !"):
        assert between(["a ", " by ", "!"], text) is None
    many = ["", *("a" for _ in range(50)), "b"]
    assert between(many, "a" * 400) is None


def test_marks_side_by_side_or_unequal_tell_nothing() -> None:
    marks = Marks(["one", "two"])
    one, two = marks.texts.values()
    marks.vote(f"{one}{two}", ["ab"])
    marks.vote(f"{one} and {one}", ["a and b"])
    marks.vote("no mark", ["no mark"])
    assert marks.likely() == {}
    marks.vote(f"{one} and {one} or {two}", ["a and a or b"])
    assert marks.likely() == {"one": ["a"], "two": ["b"]}


def test_comparisons_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infer_module, "COMPARISONS", 3)
    marks = Marks(["one"])
    for _ in range(3):
        marks.vote(marks.texts["one"], ["a", "b"])
    assert marks.votes["one"].total() == 2


def test_a_files_lines_and_mode_count(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1\n2\n")
    (tmp_path / "b").write_text("")
    here = Here(tmp_path, ())
    read = here.read(["a", "b", "c"])
    assert here.score(here.parts(read)).key == (1.0, 2)
    (tmp_path / "a").write_text("not read again")
    assert here.score(here.parts({"a": read["a"]}), ["b"]).likeness == 2 / 3
    assert here.score(here.parts({"a": read["b"], "b": read["b"]})).likeness == 1 / 4


def test_nothing_is_best_of_nothing() -> None:
    assert best_of({0: Score(likeness=0.0, identical=0, files=0)}) is None
