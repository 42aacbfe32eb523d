"""The record that a generation leaves, and this template's own history."""

import json
import os
import re
from itertools import pairwise
from pathlib import Path

import cruft
import pytest
from click.testing import CliRunner
from cookiecutter.main import cookiecutter
from jinja2 import TemplateSyntaxError

from drydock import project, record, render
from drydock.cli import main
from drydock.errors import DrydockError
from drydock.record import Record
from drydock.source import open_source
from drydock.tree import read_tree
from tests.drydock.test_render import OF_THE_HOOK
from tests.support.catalogue import COMBINATIONS, ROOT
from tests.support.choices import label
from tests.support.commands import succeed, tool
from tests.support.projects import Bake
from tests.support.templates import Drydock, Template, git


def test_the_record_is_what_drydock_and_cruft_read(bake: Bake) -> None:
    text = (bake() / ".cruft.json").read_text(encoding="utf-8")
    found = record.loads(text)
    assert found.dumps() == text
    assert found.template == str(ROOT)
    assert found.commit == git(ROOT, "rev-parse", "HEAD")
    assert found.skip == (".env",)
    assert found.directory is None
    assert found.checkout is None


def test_an_awkward_answer_is_recorded_as_it_is(bake: Bake) -> None:
    name = 'Bob\'s "shop" \\ 나의 사이트 🚀 %s'
    assert (
        record.read_record(bake(project_name=name, project_slug="bobs")).answers["project_name"]
        == name
    )


def clone(folder: Path) -> Path:
    """Return a clone of this template."""
    git(folder, "clone", "--quiet", "--shared", str(ROOT), "template")
    return folder / "template"


def test_the_url_of_a_clone_is_recorded_without_credentials(tmp_path: Path) -> None:
    # cookiecutter finds a template that it has cloned by its short name, in its own folder.
    home = tmp_path / "home"
    home.mkdir()
    (home / "cookiecutters").mkdir()
    template = clone(home / "cookiecutters").rename(home / "cookiecutters/template")
    git(template, "remote", "set-url", "origin", "https://me:hunter2@host.example/o/template.git")
    (home / "config.yaml").write_text(f"cookiecutters_dir: {home / 'cookiecutters'}\n")
    config = str(home / "config.yaml")
    options = ["--config-file", config, "--no-input", "--output-dir", str(tmp_path / "out")]
    succeed(tool("cookiecutter"), "template", *options, cwd=tmp_path)
    found = record.read_record(tmp_path / "out/my_site")
    assert found.template == "https://host.example/o/template.git"
    assert found.commit == git(template, "rev-parse", "HEAD")


@pytest.mark.parametrize("start", ["template", "."])
def test_a_relative_template_is_recorded_by_its_whole_path(start: str, tmp_path: Path) -> None:
    template = clone(tmp_path)
    folder = tmp_path if start == "template" else template
    options = ["--no-input", "--output-dir", str(tmp_path / "out")]
    succeed(tool("cookiecutter"), start, *options, cwd=folder, env={"PWD": str(folder)})
    assert record.read_record(tmp_path / "out/my_site").template == str(template)


@pytest.mark.parametrize("what", ["packed refs", "linked work tree", "detached", "folder"])
def test_the_commit_is_found_however_git_keeps_it(what: str, tmp_path: Path) -> None:
    template = clone(tmp_path)
    directory = None
    match what:
        case "packed refs":
            git(template, "pack-refs", "--all")
        case "linked work tree":
            git(template, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
            template = tmp_path / "linked"
        case "detached":
            git(template, "checkout", "--quiet", "--detach")
        case "folder":
            (template / ".git").rename(tmp_path / ".git")
            directory = "template"
            git(tmp_path, "add", "template")
            git(tmp_path, "commit", "--quiet", "--message", "Moved")
    made = Path(cookiecutter(str(template), no_input=True, output_dir=tmp_path / "out"))
    found = record.read_record(made)
    assert found.commit == git(template, "rev-parse", "HEAD")
    assert found.directory == directory
    assert found.template == str(tmp_path if directory else template)


def test_without_a_commit_there_is_no_record(tmp_path: Path) -> None:
    template = clone(tmp_path)
    (template / ".git").rename(tmp_path / "git")
    cookiecutter(str(template), no_input=True, output_dir=tmp_path / "out")
    assert not (tmp_path / "out/my_site/.cruft.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("answers", COMBINATIONS[::5], ids=label)
def test_a_project_of_this_template_is_in_step_for_drydock_and_for_cruft(
    answers: dict[str, str],
    drydock: Drydock,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    template = clone(tmp_path)
    made = Path(
        cookiecutter(str(template), no_input=True, output_dir=tmp_path, extra_context=answers)
    )
    result = drydock("check", made)
    assert result.exit_code == 0, result.output
    git(made, "init", "--quiet")
    git(made, "add", "--all")
    git(made, "commit", "--quiet", "--message", "First")
    assert cruft.check(made)
    assert cruft.diff(made, exit_code=True)
    readme = made / "README.md"
    readme.write_text(readme.read_text() + "\nMine.\n")
    capsys.readouterr()
    assert not cruft.diff(made, exit_code=True)
    shown = capsys.readouterr().out
    assert "Mine." in shown
    for secret in (line.partition("=")[2] for line in (made / ".env").read_text().splitlines()):
        assert len(secret) != 64 or secret not in shown


@pytest.mark.slow
def test_cruft_updates_a_project(drydock: Drydock, tmp_path: Path) -> None:
    template = clone(tmp_path)
    made = Path(cookiecutter(str(template), no_input=True, output_dir=tmp_path))
    git(made, "init", "--quiet")
    git(made, "add", "--all")
    git(made, "commit", "--quiet", "--message", "First")
    page = template / "{{cookiecutter.project_slug}}/.editorconfig"
    page.write_text(page.read_text() + "\n# From upstream.\n")
    git(template, "commit", "--quiet", "--all", "--message", "Second")
    assert drydock("check", made).exit_code == 3
    assert cruft.update(made, skip_apply_ask=True)
    assert "# From upstream." in (made / ".editorconfig").read_text()
    result = drydock("check", made)
    assert result.exit_code == 0, result.output


# All other commits have the same template as their parent.
TEMPLATE = ["cookiecutter.json", "hooks", "templates", "*cookiecutter.project_slug*"]
# So many commits are tried, however long the history becomes. Each has been the newest once, and tried then.
MOST = 12


def sample(commits: list[str], most: int = MOST) -> list[str]:
    """Return the newest and the first of some commits, and others that are evenly spread between them."""
    last = len(commits) - 1
    places = range(len(commits)) if last < most else (n * last // (most - 1) for n in range(most))
    return [commits[place] for place in places]


HISTORY = sample(git(ROOT, "rev-list", "HEAD", "--", *TEMPLATE).split())


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of this template with its whole history."""
    return clone(tmp_path_factory.mktemp("history"))


@pytest.mark.parametrize("number", [1, 2, 11, 12, 13, 24, 1000])
def test_a_sample_of_a_history_has_both_ends_and_a_bound(number: int) -> None:
    commits = [str(place) for place in range(number)]
    chosen = sample(commits)
    assert (chosen[0], chosen[-1]) == (commits[0], commits[-1])
    assert len({*chosen}) == len(chosen) == min(number, MOST)
    gaps = [int(later) - int(earlier) for earlier, later in pairwise(chosen)]
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("commit", HISTORY, ids=lambda commit: commit[:8])
def test_states_of_this_repository_check_clean(
    commit: str, repository: Path, drydock: Drydock, tmp_path: Path
) -> None:
    git(repository, "checkout", "--quiet", commit)
    tree = open_source(str(repository)).tree(commit)
    try:
        made = Path(cookiecutter(str(repository), no_input=True, output_dir=tmp_path))
    except TemplateSyntaxError as error:
        # A merge broke it. That cannot be the newest commit: all other tests need that one.
        with pytest.raises(DrydockError, match=re.escape(str(error.name))):
            render.rendered(tree, {}, where="t")
        return
    known = Record(template=str(repository), commit=commit, checkout=commit, answers={})
    (made / record.NAME).write_text(known.dumps())
    result = drydock("check", made)
    assert result.exit_code == 0, result.output
    rendered, _ = render.rendered(tree, {}, where="t")
    written = {path for path in read_tree(made) if path not in OF_THE_HOOK}
    assert set(rendered) == written


def test_a_record_with_all_fields_is_written_as_it_was_read() -> None:
    known = Record(template="t", commit="c", answers={"a": True}, checkout="main", directory="d")
    assert record.loads(known.dumps()) == known
    assert json.loads(known.dumps())["directory"] == "d"


def test_a_project_is_found_from_its_folders(
    drydock: Drydock, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = project / "a/b"
    inner.mkdir(parents=True)
    assert record.project_of(inner) == inner  # Without a repository, nobody knows where to stop.
    git(project, "init", "--quiet")
    assert record.project_of(inner) == project
    assert record.project_of(project) == project
    monkeypatch.chdir(inner)
    assert record.project_of(Path(".")) == project
    (project / "README.md").write_text("mine\n")
    (project / "a/own.txt").write_text("mine\n")
    result = CliRunner().invoke(main, ["check"])
    assert "README.md" in result.output
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "First")
    words = ["../../README.md", "--reason", "ours"]
    assert CliRunner().invoke(main, ["accept", *words]).exit_code == 0
    assert CliRunner().invoke(main, ["check"]).exit_code == 0
    assert "+mine" in CliRunner().invoke(main, ["diff", "../../README.md"]).output
    shown = drydock("restore", inner, "../../README.md")
    assert shown.output.startswith("restored  README.md"), shown.output
    git(inner, "init", "--quiet")
    assert "no such file" in drydock("check", inner).stderr


@pytest.mark.parametrize("how", [".", "./", "top", "README.md", "./README.md", "absolute", "link"])
@pytest.mark.parametrize("inside", ["", "a"])
def test_a_file_is_named_in_any_way(
    drydock: Drydock, project: Path, monkeypatch: pytest.MonkeyPatch, how: str, inside: str
) -> None:
    git(project, "init", "--quiet")
    (project / "a").mkdir()
    (project / "README.md").write_text("mine\n")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "First")
    monkeypatch.chdir(project / inside)
    link = project.with_name("link")
    link.symlink_to(project)
    name = {"top": str(project), "absolute": str(project / "README.md"), "link": str(link / "README.md")}.get(
        how, os.path.join(".." if inside else "", how)
    )  # fmt: skip
    run = CliRunner().invoke
    shown = run(main, ["diff", name])
    assert shown.exit_code == 0, shown.output
    assert "+mine" in shown.output
    assert run(main, ["update", name]).exit_code == 0
    restored = run(main, ["restore", name])
    assert restored.output.startswith("restored  README.md\n1 of "), restored.output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../x", "../x: is not in the project, which is "),
        ("/etc/hostname", "/etc/hostname: is not in the project"),
        ("a/../../x", "is not in the project"),
        ("", "A file's name is empty"),
        (":key", "A file's name is empty"),
    ],
)
@pytest.mark.parametrize("command", ["diff", "update", "restore", "accept --reason why"])
def test_a_file_elsewhere_is_refused(
    drydock: Drydock, project: Path, name: str, said: str, command: str
) -> None:
    result = drydock(command.split()[0], project, *command.split()[1:], name)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("name", [".cruft.json", ".drydock.toml", "pyproject.toml"])
@pytest.mark.parametrize("target", ["/dev/zero", "folder", "pipe"])
def test_what_is_no_file_is_not_read(
    drydock: Drydock, project: Path, name: str, target: str
) -> None:
    (project / "folder").mkdir()
    os.mkfifo(project / "pipe")
    (project / name).unlink(missing_ok=True)
    (project / name).symlink_to(target)
    result = drydock("check", project)
    assert result.exit_code == 2
    assert f"{name}: cannot be read" in result.stderr
    assert "is no regular file" in result.stderr


def test_a_record_beside_a_file_of_the_team_is_written(
    drydock: Drydock, template: Template, project: Path
) -> None:
    (project / ".cruft.json.new").write_text("mine\n")
    assert drydock("init", project, str(template.folder), "--force").exit_code == 0
    assert (project / ".cruft.json.new").read_text() == "mine\n"


def test_a_new_project_is_not_the_one_around_it(
    drydock: Drydock, template: Template, project: Path
) -> None:
    git(project, "init", "--quiet")
    inner = template.generate(project / "inner", record=False)
    assert drydock("init", inner, str(template.folder)).exit_code == 0
    assert (inner / record.NAME).exists()


def test_a_linked_work_tree_in_the_middle_of_a_rebase_is_seen(tmp_path: Path) -> None:
    (tmp_path / "git/rebase-merge").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    (tmp_path / "project/.git").write_text(f"gitdir: {tmp_path / 'git'}\n")
    with pytest.raises(DrydockError, match="a rebase"):
        project.check_no_merge(tmp_path / "project")


def test_a_merge_is_seen_from_a_folder_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/MERGE_HEAD").write_text("x")
    (tmp_path / "services/one").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "services/one")
    for name in (".", "../one", "../../services/one"):
        with pytest.raises(DrydockError, match="a merge"):
            project.check_no_merge(Path(name))


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("x")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(DrydockError, match="a: cannot be read: Permission denied"):
        project.read(tmp_path, ["a"])
