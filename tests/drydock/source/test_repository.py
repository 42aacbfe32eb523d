"""A template in a repository on this machine."""

import os
from pathlib import Path

import pytest

from drydock.errors import DrydockError
from drydock.source import links, open_source, repository
from tests.support.templates import FILES, QUESTIONS, TOP, Drydock, MakeTemplate, Template, git

KEY = "hunter2"


def test_a_local_repository_is_read_in_place(template: Template, cache: Path) -> None:
    (template.folder / TOP / "README.md").write_text("not committed")
    found = open_source(str(template.folder))
    tree = found.tree(template.head())
    assert tree[f"{TOP}/README.md"].text == FILES[f"{TOP}/README.md"]
    assert tree[f"{TOP}/run.sh"].executable
    assert not tree[f"{TOP}/README.md"].executable
    assert not cache.exists()
    bare = template.folder.with_name("bare.git")
    git(template.folder, "clone", "--quiet", "--bare", ".", str(bare))
    assert open_source(str(bare)).tree(template.head()) == tree


def test_a_folder_of_a_repository_is_the_template(
    make_template: MakeTemplate, drydock: Drydock, tmp_path: Path
) -> None:
    inner = make_template(name="inner")
    outer = make_template({f"sub/{path}": text for path, text in FILES.items()}, name="outer")
    outer.commit({"sub/cookiecutter.json": (inner.folder / "cookiecutter.json").read_text()})
    project = inner.generate(tmp_path / "out")
    record = project / ".cruft.json"
    text = record.read_text().replace(str(inner.folder), str(outer.folder))
    text = text.replace(inner.head(), outer.head()).replace(
        '"directory": null', '"directory": "sub"'
    )
    record.write_text(text)
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    record.write_text(text.replace('"sub"', '"nowhere"'))
    assert "has no folder nowhere" in drydock("check", project).stderr


def test_attributes_of_the_template_change_no_file(template: Template) -> None:
    attributes = "*.md export-ignore\n*.txt export-subst\n"
    commit = template.commit({".gitattributes": attributes, "a.txt": "$Format:%H$\n"})
    tree = open_source(str(template.folder)).tree(commit)
    assert tree["a.txt"].text == "$Format:%H$\n"
    assert f"{TOP}/README.md" in tree


def test_ends_of_lines_are_those_of_a_checkout(template: Template) -> None:
    files = {
        ".gitattributes": "*.bat text eol=crlf\n*.txt text=auto eol=crlf\n*.raw -text eol=crlf\n",
        f"{TOP}/.gitattributes": "lf.bat eol=lf\n",
        **{f"{TOP}/{name}": "a\nb\n" for name in ("a.bat", "lf.bat", "a.txt", "a.raw", "a.md")},
    }
    template.commit(files)
    git(template.folder, "config", "core.autocrlf", "false")
    (template.folder / TOP / "mixed.bat").write_bytes(b"a\r\nb\n")
    (template.folder / TOP / "binary.txt").write_bytes(b"a\0\nb\n")
    commit = template.commit({})
    git(template.folder, "rm", "-r", "--cached", "--quiet", ".")
    git(template.folder, "reset", "--hard", "--quiet")
    tree = open_source(str(template.folder)).tree(commit, TOP)
    assert {path: file.data for path, file in tree.items()} == {
        path.name: path.read_bytes() for path in (template.folder / TOP).iterdir() if path.is_file()
    }
    assert tree["a.bat"].data == tree["a.txt"].data == b"a\r\nb\r\n"
    assert tree["a.raw"].data == tree["lf.bat"].data == b"a\nb\n"


def link(template: Template, path: str, target: str) -> str:
    """Commit a symbolic link; return the commit."""
    (template.folder / path).symlink_to(target)
    return template.commit({})


def test_links_within_the_template_are_followed(template: Template) -> None:
    link(template, f"{TOP}/again.md", "README.md")
    link(template, f"{TOP}/twice.md", "again.md")
    commit = link(template, "folder", TOP)
    tree = open_source(str(template.folder)).tree(commit)
    assert tree[f"{TOP}/twice.md"] == tree[f"{TOP}/README.md"]
    assert tree["folder/run.sh"] == tree[f"{TOP}/run.sh"]


def test_links_are_followed_through_others(template: Template) -> None:
    (template.folder / "a").mkdir()
    link(template, "a/up", "..")
    link(template, "top", f"a/up/{TOP}")
    commit = link(template, f"{TOP}/again.md", "../top/README.md")
    tree = open_source(str(template.folder)).tree(commit)
    assert tree[f"{TOP}/again.md"] == tree[f"{TOP}/README.md"]
    assert tree["top/again.md"] == tree[f"{TOP}/README.md"]
    assert not any(path.startswith("a/up/a/up") for path in tree)


def test_links_lead_out_of_the_templates_folder(make_template: MakeTemplate) -> None:
    template = make_template({f"sub/{path}": text for path, text in FILES.items()})
    template.commit({"shared/x.txt": "x\n"})
    link(template, "current", "sub")
    commit = link(template, f"sub/{TOP}/shared", "../../shared")
    found = open_source(str(template.folder))
    assert f"{TOP}/shared/x.txt" in found.tree(commit, "sub")
    assert found.tree(commit, "current") == found.tree(commit, "sub")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/etc/hostname", "leaves the template"),
        ("../../x", "leaves the template"),
        ("nothing", "leads nowhere"),
        ("link", "leads to itself"),
        (".", "a folder that it is in"),
        ("..", "a folder that it is in"),
    ],
)
def test_a_bad_link_is_left_out_and_named(
    target: str, said: str, drydock: Drydock, template: Template, project: Path
) -> None:
    commit = link(template, f"{TOP}/link", target)
    found = open_source(str(template.folder))
    assert not any(path.startswith(f"{TOP}/link") for path in found.tree(commit))
    assert said in found.left_out[f"{TOP}/link"]
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    assert f"{TOP}/link in the template is not compared: " in result.output


def test_a_bad_link_elsewhere_does_not_matter(
    drydock: Drydock, template: Template, project: Path
) -> None:
    link(template, "docs", "/nowhere")
    result = drydock("check", project)
    assert result.exit_code == 0
    assert "not compared" not in result.output


def test_links_that_multiply_are_refused(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MOST", 10)
    for number in range(4):
        (template.folder / f"{number}").mkdir()
        link(template, f"{number}/a", f"../{number + 1}")
        link(template, f"{number}/b", f"../{number + 1}")
    commit = template.commit({"4/x": "x"})
    with pytest.raises(DrydockError, match="more than 10 files"):
        open_source(str(template.folder)).tree(commit)


def test_a_linked_folder_gives_what_cookiecutter_makes_of_it(
    drydock: Drydock, make_template: MakeTemplate, tmp_path: Path
) -> None:
    questions = {"slug": "site", "_copy_without_render": ["copied"]}
    template = make_template({f"{TOP}/README.md": "# x\n", "shared/x.txt": "x\n"}, questions)
    link(template, f"{TOP}/linked", "../shared")
    link(template, f"{TOP}/copied", "../shared")
    project = template.generate(tmp_path / "out")
    assert (project / "copied/x.txt").exists()
    assert not (project / "linked/x.txt").exists()
    result = drydock("check", project)
    assert result.exit_code == 0, result.output
    assert "2 same" in result.output


def test_a_submodule_that_is_not_here_is_named(
    drydock: Drydock, template: Template, project: Path
) -> None:
    entry = f"160000,{template.head()},{TOP}/sub"
    git(template.folder, "update-index", "--add", "--cacheinfo", entry)
    git(template.folder, "commit", "--quiet", "--message", "sub")
    found = open_source(str(template.folder))
    assert not any("/sub" in path for path in found.tree(template.head()))
    result = drydock("check", project)
    assert result.exit_code == 0
    assert f"{TOP}/sub in the template is not compared: it is a submodule" in result.output


def test_a_submodule_that_is_here_is_read(
    drydock: Drydock, template: Template, make_template: MakeTemplate, tmp_path: Path
) -> None:
    inner = make_template({"own.txt": "{{ cookiecutter.slug }}\n"}, {}, "inner")
    words = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"]
    git(template.folder, *words, str(inner.folder), f"{TOP}/sub")
    commit = template.commit({})
    tree = open_source(str(template.folder)).tree(commit)
    assert tree[f"{TOP}/sub/own.txt"].data == b"{{ cookiecutter.slug }}\n"
    project = template.generate(tmp_path / "out")
    assert drydock("check", project).exit_code == 0
    (project / "sub/own.txt").write_text("mine\n")
    assert "sub/own.txt" in drydock("check", project).output


@pytest.mark.parametrize("bare", [False, True], ids=["clone", "bare"])
def test_git_may_be_told_to_use_no_bare_repository_by_chance(
    bare: bool, template: Template, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gitconfig").write_text("[safe]\n\tbareRepository = explicit\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    if bare:
        git(tmp_path, "clone", "--quiet", "--bare", str(template.folder), "bare.git")
    place = tmp_path / "bare.git" if bare else template.folder
    for address in (str(place), f"file://{place}"):
        for _ in range(2):
            assert open_source(address).resolve(None) == template.head()
    assert len(list(cache.glob("*.git"))) == 1


@pytest.mark.parametrize("form", ["{}", "file://{}"], ids=["path", "url"])
def test_a_repository_of_another_user_is_not_trusted(
    form: str, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(DrydockError, match=f"another user.*safe.directory {template.folder}"):
        open_source(form.format(template.folder))


def test_a_shallow_clone_says_how_to_get_the_rest(template: Template, tmp_path: Path) -> None:
    old = template.head()
    new = template.commit({"x": "y"})
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{template.folder}", "shallow")
    for address in (str(tmp_path / "shallow"), f"file://{tmp_path / 'shallow'}"):
        found = open_source(address)
        assert found.resolve(None) == new
        with pytest.raises(DrydockError, match=r"is a shallow clone.*git fetch --unshallow"):
            found.resolve(old)


def test_a_deleted_branch_says_what_to_change(
    drydock: Drydock, template: Template, project: Path
) -> None:
    git(template.folder, "branch", "side")
    record = project / ".cruft.json"
    record.write_text(record.read_text().replace('"checkout": null', '"checkout": "side"'))
    assert drydock("check", project).exit_code == 0
    git(template.folder, "branch", "--quiet", "--delete", "side")
    git(project, "init", "--quiet")
    checked, updated = drydock("check", project), drydock("update", project)
    assert (checked.exit_code, updated.exit_code) == (2, 2)
    for said in (checked.stdout, updated.stderr):
        assert "has no branch or tag side; it may have been deleted" in said
        assert "`checkout` in .cruft.json" in said
    assert drydock("check", project, "--to", "main").exit_code == 0


def test_a_default_branch_that_is_gone_is_named(template: Template) -> None:
    git(template.folder, "symbolic-ref", "HEAD", "refs/heads/gone")
    with pytest.raises(DrydockError, match="its default branch does not exist"):
        open_source(str(template.folder)).resolve(None)


def test_a_folder_in_a_repository_names_the_repository(template: Template) -> None:
    (template.folder / "a/b").mkdir(parents=True)
    with pytest.raises(DrydockError, match=f"is {template.folder}, and its directory a/b"):
        open_source(str(template.folder / "a/b"))
    with pytest.raises(DrydockError, match="a part of"):
        open_source(str(template.folder / ".git/refs"))


def test_a_relative_template_is_relative_to_the_record(
    drydock: Drydock, template: Template, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = project / ".cruft.json"
    relative = os.path.relpath(template.folder, project)
    record.write_text(record.read_text().replace(str(template.folder), relative))
    assert drydock("check", project).exit_code == 0
    monkeypatch.chdir(template.folder.parent)
    assert drydock("check", project, "--template", template.folder.name).exit_code == 0


def test_too_large_a_template_is_refused(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "LIMIT", 10)
    with pytest.raises(DrydockError, match="MiB"):
        open_source(str(template.folder)).tree(template.head())


def test_an_empty_repository_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(DrydockError, match="has no commits yet"):
        open_source(str(tmp_path / "empty")).resolve(None)


def test_without_git_it_says_so(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DrydockError, match="git is not installed"):
        open_source(str(template.folder))


def test_a_date_is_that_of_the_commit(template: Template) -> None:
    assert open_source(str(template.folder)).date(template.head()).startswith("20")


def test_of_several_tags_the_one_with_a_message_names_a_commit(template: Template) -> None:
    head = template.head()
    for words in (["a1"], ["m2", "--message", "Release"], ["z3"]):
        git(template.folder, "tag", *words)
    git(template.folder, "branch", "side")
    assert open_source(str(template.folder)).describe(head) == f"m2 ({head[:8]})"


@pytest.mark.parametrize(
    "name", ["main~1..main", "main~1...main", "^main", "main^!", "main^@", "main^-"]
)
def test_a_range_is_no_commit(template: Template, name: str) -> None:
    git(template.folder, "branch", "--force", "--move", "main")
    template.commit({"x": "y"})
    with pytest.raises(DrydockError, match=r"is not a commit|no branch or tag"):
        open_source(str(template.folder)).resolve(name)


def test_the_questions_are_those_of_the_commit(template: Template) -> None:
    assert "database" in QUESTIONS
    old = template.head()
    template.commit({"cookiecutter.json": "{}"})
    assert b"database" in open_source(str(template.folder)).tree(old)["cookiecutter.json"].data
