"""`drydock new` asks, checks, shows, and lets cookiecutter generate."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cookiecutter.main import cookiecutter

from drydock.cli import main
from drydock.tree import Tree, read_tree
from tests.support.catalogue import CATALOGUE, ROOT
from tests.support.templates import FILES, QUESTIONS, TOP, MakeTemplate, Template, copied

New = Callable[..., Result]
RULES = {
    "slug": {"match": [["[a-z]+", "is not in lowercase"]], "example": "site"},
    "words": {"one_of": ["_words", "is no such word"]},
    "name": {"none_of": "_taken"},
}
ASKED = {
    "name": "Site",
    "slug": "{{ cookiecutter.name|lower }}",
    "database": ["mysql", "postgresql"],
    "debug": False,
    "options": {"a": "1"},
    "words": "one",
    "_words": "one two",
    "_taken": {"is a friend's": "Bob Eve"},
    "_rules": RULES,
    "_refused": {"database=postgresql, debug=True": "they hate each other"},
    "__prompts__": {"name": "[bold]First[/]\n  Its name", "database": {"mysql": "MySQL: known"}},
    "_prompts": {"ko": {"name": "이름"}},
    "_messages": {"ko": {"is a friend's": "친구의 이름입니다"}},
}
ALL = {f"{TOP}/all.json": "{{ cookiecutter.items()|list|tojson }}\n"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cookiecutter write nothing into the user's folders, and hooks know where it was started."""
    config = tmp_path / "cookiecutter.yml"
    config.write_text(
        f"cookiecutters_dir: {tmp_path / 'clones'}\nreplay_dir: {tmp_path / 'replay'}\n"
    )
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(config))
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> New:
    """Return a function that runs the command for a template, in a terminal where `typed` is typed."""

    def run(template: Path | str, *words: str, typed: str = "", terminal: bool = True) -> Result:
        monkeypatch.setattr("drydock.commands.new.is_terminal", lambda: terminal)
        return CliRunner().invoke(main, ["new", str(template), *words], input=typed)

    return run


@pytest.fixture
def asking(make_template: MakeTemplate) -> Template:
    """Return a template with every kind of question, and rules."""
    return make_template({**FILES, **ALL}, ASKED)


def tree(folder: Path) -> Tree:
    """Return the files of a project, except those with random secrets."""
    return {path: file for path, file in read_tree(folder).items() if path != ".env"}


def answers(project: Path) -> dict[str, Any]:
    """Return the variables that a project was made with."""
    return dict(json.loads((project / "all.json").read_text()))


# The same bytes as cookiecutter's


@pytest.mark.parametrize(
    "given",
    [
        {"language_code": "ko", "project_name": "한강 수위", "database": "postgresql", "sample_app": "no"},
        {"database": "sqlite", "cache": "locmem", "author_name": "Bob's \"{%\"", "language_code": "en"},
    ],
    ids=["typed", "given"],
)  # fmt: skip
def test_this_template_gives_the_bytes_that_cookiecutter_gives(
    given: dict[str, str], new: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copied(tmp_path / "copy").folder
    address = re.findall(r"(?m)^drydock new (\S+)$", (ROOT / "README.md").read_text("utf-8"))[0]
    public = f"https://github.com/{address.removeprefix('gh:')}.git"
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{copy}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", public)
    if given["language_code"] == "ko":
        typed = ""
        for name, default in CATALOGUE.items():
            if not name.startswith("_"):
                value = given.get(name, "")
                choice = isinstance(default, list) and value
                typed += f"{default.index(value) + 1 if choice else value}\n"
        result = new(address, "-o", "one", typed=f"{typed}y\n")
    else:
        words = [f"{name}={value}" for name, value in given.items()]
        result = new(address, "-o", "one", "--no-input", *words)
    assert result.exit_code == 0, result.output
    quoted = {name: value.replace("{%", "{{ '{%' }}") for name, value in given.items()}
    cookiecutter(address, no_input=True, extra_context=quoted, output_dir="two")
    (mine,), (theirs,) = Path("one").iterdir(), Path("two").iterdir()
    assert mine.name == theirs.name
    assert len(tree(mine)) > 60
    assert tree(mine) == tree(theirs)
    assert json.loads((mine / ".cruft.json").read_text())["template"] == public
    names = [
        [line.partition("=")[0] for line in (project / ".env").open(encoding="utf-8")]
        for project in (mine, theirs)
    ]
    assert names[0] == names[1]


# Each answer is checked as it is typed


def test_every_kind_of_question_is_asked(asking: Template, new: New) -> None:
    typed = 'Shop\n\n2\nmaybe\nno\ntwo\n{"b": "2"}\ny\n'
    result = new(asking.folder, typed=typed)
    assert result.exit_code == 0, result.output
    made = answers(Path("shop"))
    assert made["database"] == "postgresql"
    assert made["debug"] is False
    assert made["words"] == "two"
    assert made["options"] == {"b": "2"}
    assert "[1/6] First" in result.output
    assert "1 - MySQL: known" in result.output
    assert "  slug: shop\n" in result.output
    assert "drydock init" in result.output


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Bob\nShop\n\n\n\n\n\ny\n", "name: 'Bob' is a friend's."),
        ("Shop\nSHOP\nshop\n\n\n\n\ny\n", "slug: 'SHOP' is not in lowercase. For example: site"),
        ("Shop\nhere\nshop\n\n\n\n\ny\n", "slug: here exists already."),
        ("Shop\n\n\n\nthree\ntwo\n\ny\n", "words: 'three' is no such word."),
        ("Shop\n\n2\nyes\nno\n\n\ny\n", "database=postgresql, debug=True: they hate each other"),
    ],
)
def test_a_bad_answer_is_asked_again(typed: str, said: str, asking: Template, new: New) -> None:
    Path("here").mkdir()
    result = new(asking.folder, typed=typed)
    assert result.exit_code == 0, result.output
    assert said in result.stderr
    assert Path("shop/all.json").is_file()


def test_rules_of_a_default_hold_too(asking: Template, new: New) -> None:
    result = new(asking.folder, typed="My Shop\n\nshop\n\n\n\n\ny\n")
    assert "slug: 'my shop' is not in lowercase" in result.stderr
    assert Path("shop").is_dir()


def test_questions_follow_lang(asking: Template, new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    result = new(asking.folder, typed="Bob\nShop\n\n\n\n\n\nn\n")
    assert "[1/6] 이름" in result.output
    assert "name: 'Bob': 친구의 이름입니다.\n" in result.stderr
    assert "shop에 생성할까요?" in result.output
    assert "아무것도 쓰지 않았습니다." in result.stderr
    assert "name: 'Eve': 친구의 이름입니다." in new(asking.folder, "name=Eve", "--no-input").stderr


def test_this_template_is_asked_in_korean(new: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    english, korean = CATALOGUE["__prompts__"], CATALOGUE["_prompts"]["ko"]
    assert list(korean) == list(english)
    for name, label in english.items():
        assert isinstance(label, str) or label.keys() == korean[name].keys()
    result = new(ROOT, typed="이름\ntest\n")
    assert "프로젝트의 다른 부분이 쓰는 이름입니다" in result.stderr


def test_a_secret_is_typed_without_an_echo_and_not_kept(
    new: New, make_template: MakeTemplate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["hunter2", ""])
    monkeypatch.setattr("drydock.new.read_repo_password", lambda question: next(typed))
    questions = {"slug": "site", "api_token": "changeme", "db_pass": "{{ cookiecutter.slug }}-1"}
    template = make_template(ALL, {**questions, "deploy_key": ["yes", "no"]})
    result = new(template.folder, typed="shop\n\ny\n")
    assert result.exit_code == 0, result.output
    assert "hunter2" not in result.output
    assert "api_token: ***\n  db_pass: ***\n  deploy_key: yes\n" in result.output
    made = answers(Path("shop"))
    assert (made["api_token"], made["db_pass"]) == ("hunter2", "shop-1")
    (replay,) = (tmp_path / "replay").iterdir()
    assert "hunter2" not in replay.read_text()
    assert json.loads(replay.read_text())["cookiecutter"]["api_token"] == "changeme"


def test_what_is_given_is_not_asked(asking: Template, new: New) -> None:
    result = new(
        asking.folder, "name={{ 1 }}", "slug=shop", "database=postgresql", typed="\n\n\ny\n"
    )
    assert result.exit_code == 0, result.output
    assert answers(Path("shop"))["name"] == "{{ 1 }}"
    assert "Its name" not in result.output


# What is refused, and leaves nothing


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nam=x"], "nam: the template has no such question. It has name, slug, "),
        (["slug=SHOP"], "slug: 'SHOP' is not in lowercase. For example: site"),
        (["name=Eve"], "name: 'Eve' is a friend's."),
        (["words=three"], "words: 'three' is no such word."),
        (["database=oracle"], "database: 'oracle' is not a choice"),
        (["debug=maybe"], "debug: 'maybe' is neither yes nor no"),
        (["options=1"], "options: '1' is not a JSON object"),
        (["database=postgresql", "debug=yes"], "they hate each other"),
        (["name"], "name: is not in the form ANSWER=VALUE"),
        (["slug=here"], "here: exists already"),
        (["--directory", "nowhere"], "cannot be used"),
        (["--checkout", "nowhere", "--directory", ".."], "cannot be used"),
    ],
)
@pytest.mark.parametrize("terminal", [True, False])
def test_a_bad_command_is_refused_at_once(
    words: list[str], said: str, terminal: bool, asking: Template, new: New
) -> None:
    Path("here").mkdir()
    if terminal and "slug=here" in words:
        return
    result = new(asking.folder, *words, *([] if terminal else ["--no-input"]), terminal=terminal)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert not Path("site").exists()


def test_without_a_terminal_it_says_what_to_pass(asking: Template, new: New) -> None:
    result = new(asking.folder, terminal=False)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--no-input" in result.stderr


@pytest.mark.parametrize("typed", ["", "Shop\n", "Shop\n\n\n\n\n\n", "Shop\n\n\n\n\n\nn\n"])
def test_whoever_stops_finds_nothing_written(typed: str, asking: Template, new: New) -> None:
    result = new(asking.folder, "-o", "out/deep", typed=typed)
    assert result.exit_code == 130
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), 130), (OSError("disk full"), 2)]
)
def test_an_interrupted_generation_leaves_nothing(
    error: BaseException,
    status: int,
    asking: Template,
    new: New,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def half(folder: str, context: Mapping[str, Any], output: str) -> str:
        Path(output, "site").mkdir(parents=True)
        Path(output, "site/half").touch()
        raise error

    monkeypatch.setattr("drydock.new.generate_files", half)
    result = new(asking.folder, "--no-input", "-o", "out/deep")
    assert result.exit_code == status
    assert not Path("out").exists()


def test_a_hook_that_refuses_leaves_nothing(make_template: MakeTemplate, new: New) -> None:
    template = make_template({**FILES, "hooks/pre_gen_project.py": "raise SystemExit(1)\n"})
    result = new(template.folder, "--no-input", "-o", "out")
    assert result.exit_code == 2
    assert "A hook of the template refused" in result.stderr
    assert not Path("out").exists()


# Where templates come from


def test_a_template_in_a_folder_is_fetched_and_forgotten(
    make_template: MakeTemplate, new: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    inner = {f"inner/{path}": text for path, text in FILES.items()}
    questions = {"inner/cookiecutter.json": json.dumps(QUESTIONS)}
    template = make_template(
        {**inner, **questions, "inner/hooks/pre_prompt.py": ""},
        {"templates": {"x": {"path": "inner"}}},
    )
    assert "Choose the folder of one with --directory" in new(template.folder, "--no-input").stderr
    words = ["--no-input", "--checkout", "main", "--directory", "inner"]
    url = f"file://{template.folder}"
    assert f"Write git+{url}." in new(url, *words).stderr
    result = new(f"git+{url}", *words)
    assert result.exit_code == 0, result.output
    assert Path("site/run.sh").is_file()
    assert list(scratch.iterdir()) == []


def test_a_template_of_another_kind_of_rules_is_told(make_template: MakeTemplate, new: New) -> None:
    template = make_template(questions={**QUESTIONS, "_rules": {"slug": {"match": [["(", "x"]]}}})
    result = new(template.folder, "--no-input", "slug=x")
    assert "cookiecutter.json: the _rules of slug cannot be read" in result.stderr


def test_help_has_examples() -> None:
    assert "drydock new gh:ORG/django-drydock" in CliRunner().invoke(main, ["new", "--help"]).output
