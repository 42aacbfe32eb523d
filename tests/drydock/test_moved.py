"""Files that the project has moved get the template's changes; its own files, however alike, get none."""

from pathlib import Path

import pytest

from tests.drydock.test_update import LINES, commit
from tests.support.templates import TOP, Drydock, MakeTemplate, Template, git

SHORT = "from django.contrib import admin\n\n# Register your models here.\n"
CHANGED = LINES.replace("line 5\n", "theirs\n")


@pytest.fixture
def example(make_template: MakeTemplate) -> Template:
    """Return a template with an example that projects delete, or move."""
    return make_template({
        f"{TOP}/example/admin.py": SHORT, f"{TOP}/example/views.py": LINES, f"{TOP}/example/__init__.py": "",
        f"{TOP}/keep.txt": "kept\n",
    })  # fmt: skip


@pytest.fixture
def project(example: Template, tmp_path: Path) -> Path:
    """Return a committed project from that template."""
    made = example.generate(tmp_path / "projects")
    commit(made)
    return made


def copy(project: Path) -> None:
    """Make an application of the project's own in the image of the example, and commit it."""
    (project / "blog").mkdir()
    for name in ("admin.py", "views.py", "__init__.py"):
        (project / "blog" / name).write_bytes((project / "example" / name).read_bytes())
    commit(project)


def change(example: Template) -> None:
    """Change all of the template's example."""
    example.commit({
        f"{TOP}/example/admin.py": SHORT + "theirs\n", f"{TOP}/example/views.py": CHANGED,
        f"{TOP}/example/__init__.py": "import theirs\n",
    })  # fmt: skip


def is_untouched(project: Path) -> bool:
    """Tell whether git knows of no change but that of the record."""
    return git(project, "status", "--porcelain") == "M .cruft.json"


def test_what_was_beside_the_template_s_file_is_not_that_file(
    drydock: Drydock, example: Template, project: Path
) -> None:
    copy(project)
    git(project, "rm", "--quiet", "-r", "example")
    commit(project)
    change(example)
    result = drydock("update", project)
    assert result.exit_code == 0, result.output
    assert "deleted here  example/views.py" in result.output
    assert is_untouched(project)


def test_a_project_that_was_moved_itself_is_known_from_its_earlier_place(
    drydock: Drydock, example: Template, tmp_path: Path
) -> None:
    top = tmp_path / "repository"
    project = example.generate(top)
    commit(top)
    (project / "example/views.py").rename(project / "moved.py")
    (project / "example/admin.py").unlink()
    commit(top)
    (project / "alike.py").write_text(LINES)
    commit(top)
    project = project.rename(top / "elsewhere")
    commit(top)
    change(example)
    assert drydock("update", project).exit_code == 0
    assert (project / "moved.py").read_text() == CHANGED
    assert (project / "alike.py").read_text() == LINES


def test_what_came_after_the_deletion_is_not_the_deleted_file(
    drydock: Drydock, example: Template, project: Path
) -> None:
    git(project, "rm", "--quiet", "-r", "example")
    commit(project)
    (project / "blog.py").write_text(LINES)
    commit(project)
    change(example)
    assert drydock("update", project).exit_code == 0
    assert is_untouched(project)


def test_a_removal_upstream_is_none_of_an_own_file(
    drydock: Drydock, example: Template, project: Path
) -> None:
    copy(project)
    git(project, "rm", "--quiet", "-r", "example")
    commit(project)
    example.commit({f"{TOP}/example/{name}": None for name in ("admin.py", "views.py", "__init__.py")})  # fmt: skip
    assert drydock("update", project).exit_code == 0
    assert is_untouched(project)


@pytest.mark.parametrize("name", ["admin.py", "__init__.py"])
def test_short_files_are_alike_by_chance(
    drydock: Drydock, example: Template, project: Path, name: str
) -> None:
    git(project, "rm", "--quiet", "-r", "example")
    (project / "blog").mkdir()
    (project / "blog" / name).write_text(SHORT if name == "admin.py" else "")
    commit(project)
    change(example)
    assert drydock("update", project).exit_code == 0
    assert is_untouched(project)


def test_a_folder_that_was_moved_here_gets_the_changes_and_new_files(
    drydock: Drydock, example: Template, project: Path
) -> None:
    (project / "example/own.txt").write_text("mine\n")
    commit(project)
    git(project, "mv", "example", "apps")
    commit(project)
    git(project, "mv", "apps", "shop")
    commit(project)
    copied = (project / "shop/views.py").read_bytes()
    (project / "alike.py").write_bytes(copied)
    commit(project)
    change(example)
    example.commit({f"{TOP}/example/new.py": "new\n"})
    result = drydock("update", project)
    assert result.exit_code == 0, result.output
    assert (project / "shop/views.py").read_text() == CHANGED
    assert (project / "shop/admin.py").read_text() == SHORT + "theirs\n"
    assert (project / "shop/new.py").read_text() == "new\n"
    assert (project / "shop/own.txt").read_text() == "mine\n"
    assert (project / "alike.py").read_bytes() == copied
    assert not (project / "example").exists()


def test_a_move_that_is_not_committed_is_not_lost(
    drydock: Drydock, example: Template, project: Path
) -> None:
    git(project, "mv", "example/views.py", "views.py")
    change(example)
    result = drydock("update", project)
    assert result.exit_code == 2
    assert "views.py: would be changed, but has uncommitted changes" in result.stderr


def test_a_move_before_the_first_commit_is_known_by_the_contents(
    drydock: Drydock, example: Template, tmp_path: Path
) -> None:
    project = example.generate(tmp_path / "projects")
    (project / "example/views.py").rename(project / "views.py")
    commit(project)
    change(example)
    assert drydock("update", project).exit_code == 0
    assert (project / "views.py").read_text() == CHANGED


def test_an_ignored_file_is_not_the_template_s(
    drydock: Drydock, example: Template, project: Path
) -> None:
    git(project, "mv", "example", "blog")
    (project / ".drydock.toml").write_text('ignore = ["/blog/"]\n')
    commit(project)
    change(example)
    result = drydock("update", project)
    assert "deleted here  example/views.py" in result.output
    assert is_untouched(project)


def test_a_folder_that_the_template_moves_leaves_own_files_where_they_are(
    drydock: Drydock, example: Template, project: Path
) -> None:
    (project / "example/own.txt").write_text("mine\n")
    git(project, "mv", "example/views.py", "elsewhere.py")
    commit(project)
    example.commit({
        f"{TOP}/example/{name}": None for name in ("admin.py", "__init__.py")
    } | {f"{TOP}/app/admin.py": SHORT, f"{TOP}/app/__init__.py": "", f"{TOP}/example/views.py": None, f"{TOP}/app/views.py": CHANGED})  # fmt: skip
    drydock("update", project)
    assert (project / "example/own.txt").read_text() == "mine\n"
    assert not (project / "app/own.txt").exists()


def test_an_own_file_in_the_place_of_a_new_folder_is_not_lost(
    drydock: Drydock, example: Template, project: Path
) -> None:
    (project / "docs").write_text("mine\n")
    git(project, "mv", "example/views.py", "views.py")
    commit(project)
    change(example)
    example.commit({f"{TOP}/docs/new.txt": "new\n"})
    drydock("update", project)
    assert (project / "docs").read_text() == "mine\n"
