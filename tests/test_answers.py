"""Which answers are accepted, what is said about the others, and that a refusal leaves nothing behind."""

import io
import json
import keyword
import re
import shlex
import shutil
import sys
import zoneinfo
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest
from cookiecutter.exceptions import FailedHookException, UndefinedVariableInTemplate
from cookiecutter.generate import generate_context
from cookiecutter.main import cookiecutter
from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import create_env_with_context
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_cookies.plugin import Cookies, Result

from drydock.answers import fault
from tests.support.catalogue import CATALOGUE, ROOT
from tests.support.commands import run, succeed, tool

PROJECT = ROOT / "{{cookiecutter.project_slug}}"
HOOKS = ROOT / "hooks"
AWKWARD = 'Bob\'s "shop" \'\'\'""" 나의 사이트 🚀 $HOME %s C:\\new\\'


CONTEXT = generate_context(str(ROOT / "cookiecutter.json"))
TEXT_ANSWERS = {
    name: default
    for name, default in CONTEXT["cookiecutter"].items()
    if isinstance(default, str) and not name.startswith("_")
}
DEFAULTS = prompt_for_config(generate_context(str(ROOT / "cookiecutter.json")), no_input=True)


def rendered_hook(name: str, answers: Mapping[str, object]) -> str:
    """Return a hook as cookiecutter runs it."""
    context = {**DEFAULTS, **answers}
    env = create_env_with_context({"cookiecutter": context})
    text = (HOOKS / name).read_text(encoding="utf-8")
    return str(env.from_string(text).render(cookiecutter=context))


def load_hook(name: str, **answers: object) -> ModuleType:
    """Return a rendered hook as a module; it does nothing on import."""
    module = ModuleType(name.removesuffix(".py"))
    exec(rendered_hook(name, answers), module.__dict__)  # noqa: S102 -- our own
    return module


hook = load_hook("pre_gen_project.py")

VALID: dict[str, list[str]] = {
    "project_name": ["M", AWKWARD, "My {{ site", "{% x %}", "#!", "👩‍🚀", "x" * 200],
    "project_slug": ["a", "shop", "my_site", "site_2", "s3", "admin", "x" * 32],
    "description": ["", AWKWARD, "설명 {{", "x" * 500],
    "author_name": [AWKWARD, "홍길동", "O'Neill, Ann-Zoë", "x" * 200],
    "author_email": [
        "a@b.co",
        "a.b+c@mail.example.com",
        "1+me@users.noreply.example.com",
        "A@B.co",
    ],
    "domain_name": [
        "localhost",
        "example.com",
        "www.my-site.example",
        "xn--3e0b707e.com",
        "1.example",
        f"{'x' * 63}.com",
    ],
    "language_code": ["en", "en-us", "ko", "pt-br", "zh-hans", "sr-latn"],
    "time_zone": [
        "UTC",
        "Asia/Seoul",
        "Africa/Porto-Novo",
        "America/Argentina/Ushuaia",
        "Etc/UTC",
        "Etc/GMT+12",
        "Etc/GMT-14",
    ],
}

INVALID: dict[str, list[object]] = {
    "project_name": [
        "",
        " ",
        " My Site",
        "My\nSite",
        "My\tSite",
        "My\x00Site",
        "My\u2028Site",
        "\udcff",
        "x" * 201,
        None,
        7,
    ],
    "project_slug": [
        "",
        "My_Site",
        "my-site",
        "my site",
        "2nd",
        "_site",
        "site_",
        "a__b",
        "나의",
        "sité",
        "../site",
        "my_site\n",
        "my_site'",
        "x" * 33,
        "class",
        "match",
        "type",
        "email",
        "compression",
        "test",
        "config",
        "django",
        "mysql",
        "root",
        "pg_site",
        "con",
        "com1",
        True,
    ],
    "description": [" ", "two\nlines", "end ", "x" * 501, None],
    "author_name": ["", " ", "two\nlines", "x" * 201, False],
    "author_email": [
        "",
        "author",
        "author@",
        "@example.com",
        "author@localhost",
        "author@10.0.0.1",
        "a b@example.com",
        "a@b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "Author <author@example.com>",
        '"a"@example.com',
        "a'b@example.com",
        "저자@example.com",
        "author@example.com\n",
        f"{'x' * 65}@example.com",
        f"a@{'x.' * 130}com",
    ],
    "domain_name": [
        "",
        "intranet",
        "Example.com",
        "https://example.com",
        "example.com:8000",
        "example.com/path",
        "my_site.example",
        "-a.example",
        "a-.example",
        "a..example",
        ".example.com",
        "example.com.",
        "*.example.com",
        "10.0.0.1",
        "example.com\n",
        "한국.com",
        f"{'x' * 64}.com",
        f"{'x.' * 126}com",
    ],
    "language_code": ["", "EN", "en_us", "ko-kr", "korean", "zh-cn", "ht", False],
    "time_zone": [
        "",
        "KST",
        "utc",
        "Asia",
        "Asia/",
        "asia/seoul",
        "Asia/Soul",
        "Asia/Seoul\n",
        "Asia/Seoul\x00",
        "../Asia/Seoul",
        "Asia/../Asia/Seoul",
        "/etc/passwd",
        "zone.tab",
        "localtime",
        "posix/Asia/Seoul",
        "Etc/GMT+13",
        "US/Pacific",
        "Asia/Calcutta",
    ],
}


def cases(table: Mapping[str, Sequence[object]]) -> list[tuple[str, object]]:
    """Return the (answer, value) pairs of a table."""
    return [(name, value) for name, values in table.items() for value in values]


def problems(**answers: object) -> list[str]:
    """Return what the hook says about these answers; the others are the defaults."""
    found: list[str] = hook.problems({**DEFAULTS, **answers})
    return found


def default_slug(project_name: str) -> str:
    """Return the slug that cookiecutter suggests for a name."""
    env = create_env_with_context(CONTEXT)
    answers = {"project_name": project_name}
    return str(env.from_string(TEXT_ANSWERS["project_slug"]).render(cookiecutter=answers))


def generate(cookies: Cookies, **answers: str) -> Result:
    """Return the result of a generation with these answers, without prompts."""
    return cookies.bake(extra_context=answers, template=str(ROOT))


def contents(folder: Path) -> dict[str, bytes | None]:
    """Return what is in a folder: the bytes of each file, None for a directory."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Return a cookiecutter configuration, so that the tests do not use the user's own."""
    path = tmp_path / "cookiecutter.yaml"
    folders = {"cookiecutters_dir": tmp_path / "templates", "replay_dir": tmp_path / "replay"}
    path.write_text("".join(f"{name}: {folder}\n" for name, folder in folders.items()))
    return path


# What is accepted


def test_every_text_answer_has_rules() -> None:
    assert list(hook.RULES) == list(TEXT_ANSWERS)


def test_defaults_are_accepted() -> None:
    assert problems() == []


@pytest.mark.parametrize(("name", "value"), cases(VALID))
def test_good_answer_is_accepted(name: str, value: object) -> None:
    assert problems(**{name: value}) == []
    assert fault(CATALOGUE, name, value) == ""  # What `drydock new` says when it is typed.


@pytest.mark.parametrize(("name", "value"), cases(INVALID))
def test_bad_answer_is_refused_by_name(name: str, value: object) -> None:
    assert fault(CATALOGUE, name, value) or not isinstance(value, str)
    found = problems(**{name: value})
    assert found
    assert all(problem.startswith(f"{name}: ") for problem in found)


@pytest.mark.parametrize(("name", "value"), cases(INVALID))
def test_example_in_the_message_works(name: str, value: object) -> None:
    for problem in problems(**{name: value}):
        assert problems(**{name: problem.split(". For example: ")[-1]}) == []


@given(st.sampled_from(list(TEXT_ANSWERS)), st.text())
def test_example_works_for_any_bad_text(name: str, value: str) -> None:
    for problem in problems(**{name: value}):
        assert problems(**{name: problem.split(". For example: ")[-1]}) == []


@pytest.mark.parametrize(
    ("name", "value", "suggestion"),
    [
        ("project_name", "My\nSite ", "My Site"),
        ("project_slug", "test", "test_site"),
        ("project_slug", "My-Shop", "my_shop"),
        ("project_slug", "2nd", "site_2nd"),
        ("domain_name", "https://My_Shop.example:8000/path", "my-shop.example"),
        ("domain_name", "한국.com", "xn--3e0b707e.com"),
        ("language_code", "ko_KR", "ko"),
        ("language_code", "pt_BR", "pt-br"),
        ("language_code", "zh-cn", "zh-hans"),
        ("time_zone", "asia/soul", "Asia/Seoul"),
        ("time_zone", "Europe/Kiev", "Europe/Kyiv"),
    ],
)
def test_example_is_near_what_was_meant(name: str, value: str, suggestion: str) -> None:
    assert problems(**{name: value})[0].endswith(f"For example: {suggestion}")


def test_value_is_quoted_on_one_line() -> None:
    assert r"'My\nSite'" in problems(project_name="My\nSite")[0]


def test_long_value_is_shortened() -> None:
    assert len(problems(description="x" * 100_000)[0]) < 200


def test_all_problems_are_told_at_once() -> None:
    names = [problem.split(":")[0] for problem in hook.problems({})]
    assert names == list(TEXT_ANSWERS)


# Names that are taken


@pytest.mark.parametrize("name", sorted({*keyword.kwlist, *keyword.softkwlist}))
def test_keyword_is_refused(name: str) -> None:
    assert problems(project_slug=name)


@pytest.mark.parametrize("name", sorted(sys.stdlib_module_names))
def test_standard_library_module_is_refused(name: str) -> None:
    assert problems(project_slug=name)


def test_other_packages_of_the_project_are_refused() -> None:
    folders = {path.name for path in PROJECT.iterdir() if path.is_dir()}
    modules = {path.stem for path in PROJECT.glob("*.py")}
    assert {"config", "manage", "tests"} <= folders | modules
    assert [name for name in folders | modules if not problems(project_slug=name)] == []


def test_pinned_packages_are_refused() -> None:
    files = (ROOT / "templates" / "pins").glob("*.txt")
    pins = {pin for file in files for pin in re.findall(r"^([\w-]+)==", file.read_text(), re.M)}
    assert "django-environ" in pins
    assert [pin for pin in pins if not problems(project_slug=pin.replace("-", "_"))] == []


# Languages and time zones


@pytest.mark.project
def test_languages_are_those_of_django(environment_python: Path, tmp_path: Path) -> None:
    code = "from django.conf.global_settings import LANGUAGES; print(*dict(LANGUAGES))"
    codes = succeed(environment_python, "-c", code, cwd=tmp_path).split()
    # Django also takes en-us.
    assert {*codes, "en-us"} == {*CATALOGUE["_languages"].split()}


def test_every_current_time_zone_is_accepted() -> None:
    folders = [*zoneinfo.TZPATH, *(f"{path}/tzdata/zoneinfo" for path in sys.path)]
    tables = [path for folder in folders if (path := Path(folder, "zone.tab")).is_file()]
    lines = tables[0].read_text("utf-8").splitlines()
    zones = [line.split("\t")[2].strip() for line in lines if line[0] != "#"]
    assert "Asia/Seoul" in zones
    assert [zone for zone in zones if problems(time_zone=zone)] == []


# The slug that is suggested


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My Site", "my_site"),
        ("나의 사이트", "nayi_saiteu"),
        ("日本語", "ri_ben_yu"),
        ('Bob\'s "shop"', "bob_s_shop"),
        ("My {{ site", "my_site"),
        ("My {% site %}", "my_site"),
        ("100% Django", "site_100_django"),
        ("$ C:\\new\\", "c_new"),
        ("🚀", "project"),
        ("__", "project"),
        ("x" * 200, "x" * 27),
        ("2" * 200, f"site_{'2' * 27}"),
    ],
)
def test_slug_of_a_name(name: str, slug: str) -> None:
    assert default_slug(name) == slug
    assert problems(project_slug=slug) == []


@given(st.text(max_size=200))
@example("Calendar")
@example("&#55296; &lt; &#x41;")
def test_any_good_name_has_a_good_slug_unless_taken(name: str) -> None:
    if not problems(project_name=name):
        slug = default_slug(name)
        taken = {word for words in CATALOGUE["_taken_names"].values() for word in words.split()}
        assert slug in taken or slug.startswith("pg_") or problems(project_slug=slug) == []


# The hook as cookiecutter runs it


@pytest.mark.parametrize("name", ["pre_gen_project.py", "post_gen_project.py"])
def test_hook_has_no_jinja_but_the_context(name: str) -> None:
    lines = (HOOKS / name).read_text(encoding="utf-8").splitlines()
    rendered = rendered_hook(name, {"project_name": AWKWARD}).splitlines()
    changed = [old for old, new in zip(lines, rendered, strict=True) if old != new]
    assert [line.split("=")[0].strip() for line in changed] == ["CONTEXT"]


@given(st.text())
@example(AWKWARD)
@example('"""')
@example("\\")
@example('\\"""')
@example("{{ cookiecutter }}{% raw %}{# #}")
@example("\ud800\x00\u2028")
def test_hook_reads_any_answer_as_it_is(value: str) -> None:
    answers = {"project_name": value, f"more {value}": value, "time_zone": False}
    assert answers.items() <= load_hook("pre_gen_project.py", **answers).CONTEXT.items()


def test_awkward_name_is_generated(cookies: Cookies) -> None:
    result = generate(cookies, project_name=AWKWARD)
    assert result.exception is None
    assert result.project_path.is_dir()


def test_refusal_fails_the_generation(cookies: Cookies) -> None:
    result = generate(cookies, project_slug="test")
    assert result.exit_code != 0
    assert isinstance(result.exception, FailedHookException)


def test_refusal_leaves_nothing(cookies: Cookies, tmp_path: Path) -> None:
    generate(cookies, project_slug="test")
    assert contents(tmp_path / "cookies") == {"bake00": None}


def test_refusal_tells_everything_on_standard_error(
    cookies: Cookies, capfd: pytest.CaptureFixture[str]
) -> None:
    generate(cookies, project_slug="test", time_zone="KST")
    error = capfd.readouterr().err
    assert "project_slug: 'test' is" in error
    assert "time_zone: 'KST' is" in error
    assert "pre_gen_project.py" not in error


def test_refusal_leaves_an_existing_project_as_it_was(tmp_path: Path, config_file: Path) -> None:
    project = tmp_path / "out" / "my_site"
    project.mkdir(parents=True)
    (project / "README.md").write_text("mine")
    (project / "manage.py").write_text("mine too")
    before = contents(project)
    with pytest.raises(FailedHookException):
        cookiecutter(
            str(ROOT),
            no_input=True,
            extra_context={"project_slug": "my_site", "domain_name": "not a domain"},
            overwrite_if_exists=True,
            output_dir=str(project.parent),
            config_file=str(config_file),
        )
    assert contents(project) == before


@pytest.mark.parametrize("slug", ["..", ".", "a/b", "../x", "a\\b", "c:x", "/"])
def test_a_path_for_a_name_touches_nothing(slug: str, tmp_path: Path, config_file: Path) -> None:
    # For NEW/.., cookiecutter would make NEW, and delete what is around it when a hook refuses.
    home = tmp_path / "home"
    home.mkdir()
    (home / "mine").write_text("mine")
    options = ["--no-input", "--config-file", str(config_file), "--output-dir", str(home / "new")]
    result = run(tool("cookiecutter"), str(ROOT), *options, f"project_slug={slug}", cwd=tmp_path)
    assert result.returncode != 0
    assert result.stdout.splitlines()[-1].startswith(
        "KeyError: 'project_slug is the name of a folder"
    )
    assert contents(home) == {"mine": b"mine"}


def test_a_generation_that_breaks_off_leaves_neither_record_nor_secrets(
    tmp_path: Path, config_file: Path
) -> None:
    template = tmp_path / "template"
    shutil.copytree(
        ROOT, template, ignore=shutil.ignore_patterns(".venv", ".cache", ".git", ".*_cache")
    )
    (template / PROJECT.name / "config/urls.py").write_text("{{ cookiecutter.nothing }}")
    project = tmp_path / "out" / "my_site"
    project.mkdir(parents=True)
    with pytest.raises(UndefinedVariableInTemplate):
        cookiecutter(
            str(template),
            no_input=True,
            overwrite_if_exists=True,
            output_dir=str(project.parent),
            config_file=str(config_file),
        )
    assert not (project / ".env").exists()
    assert not (project / ".cruft.json").exists()


# What a refusal says last: the command that repeats the other answers


def refusal(tmp_path: Path, config_file: Path, *words: str, **env: str) -> list[str]:
    """Return the lines of a refusal by the command."""
    command = [tool("cookiecutter"), str(ROOT), "--no-input", "--config-file", str(config_file)]
    result = run(*command, *words, cwd=tmp_path, env={"PWD": str(tmp_path), **env})
    assert result.returncode != 0
    return result.stdout.splitlines()


def test_a_refusal_repeats_the_other_answers(tmp_path: Path, config_file: Path) -> None:
    words = ["project_slug=test", "author_name={{ 'Bob {{ x' }}", "databse=sqlite"]
    lines = refusal(tmp_path, config_file, *words)
    assert "  databse: no such question. Did you mean database?" in lines
    command = next(line for line in lines if line.startswith("  cookiecutter "))
    repeated = shlex.split(command)[3:]
    assert {"project_slug=test_site", "database=sqlite"} <= {*repeated}
    options = ["--no-input", "--config-file", str(config_file)]
    succeed(tool("cookiecutter"), ROOT, *options, *repeated, cwd=tmp_path)
    assert "Bob {{ x" in (tmp_path / "test_site/pyproject.toml").read_text()


def test_a_refusal_is_in_the_language_of_lang(tmp_path: Path, config_file: Path) -> None:
    lines = refusal(tmp_path, config_file, "project_slug=test", LC_ALL="ko_KR.UTF-8")
    assert "  project_slug: 'test': 프로젝트의 다른 부분이 쓰는 이름입니다. 예: test_site" in lines


def test_the_repeated_command_has_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWD", "/home/me")
    private = {"_checkout": "v1", "_output_dir": "/home/me/a b"}
    answers = {**DEFAULTS, **private, "_template": "https://me:secret@host/x.git"}
    start = "cookiecutter https://host/x.git --no-input --checkout v1 --output-dir '/home/me/a b' "
    assert hook.repeated(answers).startswith(start)


def test_a_comparison_that_does_not_say_where_is_refused_as_well() -> None:
    words = shlex.split(hook.repeated({"project_slug": "test"}))
    assert words == ["cookiecutter", "TEMPLATE", "--no-input", "project_slug=test_site"]
    assert hook.unknown({"project_slug": "test"}, ["cookiecutter"]) == {}


def test_only_settings_after_the_template_count_as_answers() -> None:
    command = ["A=1", "cookiecutter", "gh:me/it", "--output-dir=x", "project_nam=x=y", "database=a"]
    answers = {**DEFAULTS, "_template": "gh:me/it"}
    assert hook.unknown(answers, command) == {"project_nam": "x=y"}
    assert hook.unknown(answers, ["pytest", "-k", "a=b"]) == {}


def test_every_sentence_of_the_hooks_is_in_korean() -> None:
    sentences = {why for rules in CATALOGUE["_rules"].values() for _, why in rules.get("match", [])}
    sentences |= {rules["one_of"][1] for rules in CATALOGUE["_rules"].values() if "one_of" in rules}
    sentences |= {*CATALOGUE["_taken_names"]}
    for path in HOOKS.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        sentences |= {*re.findall(r'say\("(.+?)"', text), *re.findall(r'return "(is .+?)"', text)}
        sentences |= {*re.findall(r'(?m)^ +\w+ = "([^#].*[{ ].*)"$', text)}
    korean = CATALOGUE["_messages"]["ko"]
    assert {*korean} == sentences
    assert [text for text, said in korean.items() if text.count("{}") != said.count("{}")] == []


# Braces in a name: cookiecutter renders what the command line gives it, but not what is typed.


def test_typed_braces_are_kept(
    tmp_path: Path, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"My {{{{ site {{% {AWKWARD}"
    monkeypatch.setattr("sys.stdin", io.StringIO(name + "\n" * 100))
    cookiecutter(str(ROOT), output_dir=str(tmp_path / "out"), config_file=str(config_file))
    (replay,) = (tmp_path / "replay").iterdir()
    assert json.loads(replay.read_text())["cookiecutter"]["project_name"] == name


def test_braces_on_the_command_line_are_written_as_a_template(cookies: Cookies) -> None:
    result = generate(cookies, project_name="My {{ '{{' }} site")
    assert result.exception is None
    assert result.context["project_name"] == "My {{ site"
