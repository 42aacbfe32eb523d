"""Build the documentation site: what is written by hand, what is made from sources, and a project's own documents.

    python tools/docs.py

The pages by hand are in docs/, another language's in NAME.LANGUAGE.md. Everything is laid out in .cache/docs, and built
into site/ by Zensical, which reads mkdocs.yml. A warning is an error.
"""

import fnmatch
import functools
import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from drydock import render
from drydock.answers import Resolved
from drydock.cli import main as drydock
from drydock.tree import Tree, read_tree
from tools.address import repository, site

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "docs"
SITE = ROOT / "site"
LAID_OUT = ROOT / ".cache" / "docs"
TOP = "{{cookiecutter.project_slug}}"
# The documentation's languages, English first, and the answer that gives a project in each.
LANGUAGES = {"en": "en-us", "ko": "ko"}
NAMES = {"en": "English", "ko": "한국어"}
# The project of the documentation: the default answers, and what the tutorial needs.
ANSWERS = {"deploy": "ssh"}

# Where a page by hand shows lines of that project: those from one that has the first text to the next one that has the
# second; without a second, those that are indented deeper.
EXCERPT = re.compile(
    r"(?m)^(?P<indent> *)<!-- (?P<path>\S+): (?P<first>.+?)(?: \.\.\. (?P<last>.+?))? -->$"
)
COLOURS = {
    ".ini": "ini",
    ".py": "python",
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    "Dockerfile": "dockerfile",
    "Makefile": "makefile",
}
# In a comment, the name of a variable, or all of a line for .env.
VARIABLE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b(?:=[\w./:-]*\w/?)?|\b[A-Z]+=\w+", re.ASCII)
# In the labels of prompts, for terminals.
MARKUP = re.compile(r"\[/?[a-z]*\]")

Page = dict[str, str]
WORDS: dict[str, Page] = {
    "en": {
        "description": "A template for Django projects that can run in production from day one",
        "How-to guides": "How-to guides",
        "Reference": "Reference",
        "A project's documents": "A project's documents",
        "Explanations": "Explanations",
        "Decisions": "Decisions",
        "answers": "Answers",
        "answers.text": "Made from the template's `cookiecutter.json`. The first choice of each is the default. What an "
        "answer may be is checked before anything is written.",
        "answers.head": "Answer | Question | Default",
        "choices.head": "Choice | ",
        "refused": "Together",
        "refused.text": "These make no sense together, and are refused:",
        "refused.head": "Answers | Why",
        "commands": "Commands of drydock",
        "commands.text": "What `--help` prints. [drydock](../drydock.md) explains them.",
        "report": "The report as JSON",
        "report.text": "What `drydock check --json` prints, made from [its JSON schema](schema.json).",
        "report.head": "Property | Type | ",
        "variables": "Variables",
        "variables.text": "Those of `.env`, made from the `.env.example` of a project with the default answers. `make "
        ".env` makes the secrets.",
        "secret": "a random secret",
        "variables.head": "Variable | Default",
        "targets": "Make targets",
        "targets.text": "Those of a project, made from its `Makefile`; `make` alone lists them.",
        "targets.head": "Command | ",
        "project": "This is `{}` of a project with the default answers and `deploy=ssh`. In your project, it fits your "
        "answers.",
    },
    "ko": {
        "description": "만든 그날 바로 운영할 수 있는 Django 프로젝트 템플릿",
        "How-to guides": "작업별 안내",
        "Reference": "레퍼런스",
        "A project's documents": "프로젝트 문서",
        "Explanations": "설명",
        "Decisions": "결정",
        "answers": "질문 항목",
        "answers.text": "템플릿의 `cookiecutter.json`에서 생성한 목록입니다. 선택지의 첫 번째 값이 기본값입니다. 답은 파일을 "
        "쓰기 전에 모두 검사합니다.",
        "answers.head": "항목 | 질문 | 기본값",
        "choices.head": "선택지 | ",
        "refused": "함께 쓸 수 없는 답",
        "refused.text": "다음 조합은 의미가 없으므로 거부합니다.",
        "refused.head": "답 | 이유",
        "commands": "drydock 명령",
        "commands.text": "`--help`의 출력을 그대로 옮긴 것입니다. 설명은 [drydock](../drydock.md)에 있습니다.",
        "report": "JSON 보고서",
        "report.text": "`drydock check --json`의 출력 형식입니다. [JSON 스키마](schema.json)에서 생성하며, 설명은 스키마의 "
        "원문입니다.",
        "report.head": "속성 | 타입 | ",
        "variables": "환경 변수",
        "variables.text": "`.env`에 적는 변수입니다. 기본값으로 만든 프로젝트의 `.env.example`에서 생성합니다. 비밀 값은 "
        "`make .env`가 만듭니다.",
        "secret": "무작위 비밀 값",
        "variables.head": "변수 | 기본값",
        "targets": "make 명령",
        "targets.text": "프로젝트의 `Makefile`에서 생성한 목록이며, 설명은 그 원문입니다. `make`만 실행해도 볼 수 있습니다.",
        "targets.head": "명령 | ",
        "project": "기본값과 `deploy=ssh`로 만든 프로젝트의 `{}` 문서입니다. 직접 만든 프로젝트에는 고른 답에 맞는 내용이 "
        "들어 있습니다.",
    },
}


def catalogue() -> dict[str, Any]:
    """Return cookiecutter.json."""
    found: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
    return found


def configuration() -> dict[str, Any]:
    """Return what mkdocs.yml says."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    return found


@functools.cache
def project(language: str) -> tuple[Tree, Resolved]:
    """Return the files of the project in a language, and its answers."""
    sources = {"cookiecutter.json": read_tree(ROOT)["cookiecutter.json"]}
    for folder in ("templates", TOP):
        sources |= {f"{folder}/{path}": file for path, file in read_tree(ROOT / folder).items()}
    given = {**ANSWERS, "language_code": LANGUAGES[language]}
    return render.rendered(sources, {}, where="this template", given=given)


def table(head: str, rows: list[list[str]]) -> str:
    """Return a table in Markdown; the head names its columns."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [head.split("|"), ["---"] * (head.count("|") + 1), *cells]
    return "\n".join(f"| {' | '.join(cell.strip() for cell in line)} |" for line in lines)


def page(words: Page, name: str, *parts: str) -> str:
    """Return a page: its title, its first paragraph, and parts."""
    return "\n\n".join([f"# {words[name]}", words[f"{name}.text"], *filter(None, parts)]) + "\n"


def answers(language: str) -> str:
    """Return the page of the answers."""
    words, data = WORDS[language], catalogue()
    labels = data.get("_prompts", {}).get(language, data["__prompts__"])
    variables = project("en")[1].variables
    texts, choices = [], []
    for name in (name for name in data if not name.startswith("_")):
        label, values = labels.get(name, name), data[name]
        question = label["__prompt__"] if isinstance(label, dict) else label
        # A heading for the terminal may stand above the question.
        question = MARKUP.sub("", question.splitlines()[-1]).strip()
        if isinstance(values, list):
            rows = [[f"`{value}`", MARKUP.sub("", label.get(value, ""))] for value in values]
            choices += [f"## {name}", f"{question}.", table(words["choices.head"], rows)]
        else:
            default = variables[name]
            default = str(default).lower() if isinstance(default, bool) else str(default)
            texts.append([f"`{name}`", question, f"`{default}`"])
    refused = [[f"`{parts}`", reason] for parts, reason in data["_refused"].items()]
    if refused:
        choices += [f"## {words['refused']}", words["refused.text"]]
        choices += [table(words["refused.head"], refused)]
    return page(words, "answers", table(words["answers.head"], texts), *choices)


def commands(language: str) -> str:
    """Return the page of what the commands say about themselves."""
    parts = []
    with click.Context(drydock, info_name="drydock", terminal_width=100) as group:
        helps = {"drydock": drydock.get_help(group)}
        for name in drydock.list_commands(group):
            command = drydock.get_command(group, name)
            assert command  # noqa: S101 - it is in the list
            context = click.Context(command, info_name=name, parent=group, terminal_width=100)
            helps[f"drydock {name}"] = command.get_help(context)
    for name, text in helps.items():
        parts += [f"## {name}", f"```text\n{text}\n```"]
    return page(WORDS[language], "commands", *parts)


def kind(schema: Mapping[str, Any]) -> str:
    """Return the type that a part of a JSON schema describes, in Markdown."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(map(kind, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema["type"] == "array":
        return f"array of {kind(schema['items'])}"
    return str(schema["type"])


def report(language: str) -> str:
    """Return the page of the report's schema."""
    schema = json.loads((ROOT / "drydock" / "schema.json").read_text("utf-8"))
    words, parts = WORDS[language], [schema["description"]]
    for name, part in {"": schema, **schema["$defs"]}.items():
        rows = [
            [f"`{key}`", kind(value), value.get("description", "")]
            for key, value in part["properties"].items()
        ]
        parts += [f"## {name}" if name else "", table(words["report.head"], rows)]
    return page(words, "report", *parts)


def variables(language: str) -> str:
    """Return the page of the variables in .env.example."""
    words = WORDS[language]
    comments: list[str] = []
    rows: list[list[str]] = []
    parts: list[str] = []

    def flush() -> None:
        # Without variables, it is about the file.
        if rows:
            parts.extend([prose(" ".join(comments)), table(words["variables.head"], rows)])
        comments.clear()
        rows.clear()

    for line in [*(project(language)[0][".env.example"].text or "").splitlines(), ""]:
        if setting := re.fullmatch(r"(#?)([A-Z][A-Z0-9_]*)=(.*)", line):
            optional, name, value = setting.groups()
            default = f"`{value}`" if value else "" if optional else words["secret"]
            rows.append([f"`{name}`", default])
        elif line.startswith("# "):
            if rows:
                flush()
            comments.append(line.removeprefix("# "))
        else:
            flush()
    return page(words, "variables", *parts)


def prose(comment: str) -> str:
    """Return a comment as Markdown: names of variables are code, and nothing else is more than it was."""
    parts = re.split("(`[^`]*`)", comment)
    for index in range(0, len(parts), 2):
        parts[index] = re.sub(r"([*<])", r"\\\1", parts[index])
        parts[index] = VARIABLE.sub(r"`\g<0>`", parts[index])
    return "".join(parts)


def targets(language: str) -> str:
    """Return the page of a project's make targets."""
    makefile = project(language)[0]["Makefile"].text or ""
    rows = [
        [f"`make {name}`", text]
        for name, text in re.findall(r"(?m)^([a-z-]+):.*## (.*)$", makefile)
    ]
    return page(WORDS[language], "targets", table(WORDS[language]["targets.head"], rows))


REFERENCE = {
    "answers": answers,
    "commands": commands,
    "make": targets,
    "report": report,
    "variables": variables,
}


def documents(language: str) -> dict[str, str]:
    """Return the project's own documents by their paths, with a note on top."""
    found = {}
    for path, file in project(language)[0].items():
        if path == "README.md" or re.fullmatch(r"docs/[^/]+\.md", path):
            title, _, rest = (file.text or "").partition("\n")
            note = WORDS[language]["project"].format(path)
            found[path] = f"{title}\n\n!!! note\n    {note}\n{rest}"
    return found


def excerpt(text: str, first: str, last: str | None) -> str:
    """Return some lines of a text, without their common indent; raise ValueError if it does not have them."""
    lines = text.splitlines()
    start = next((i for i, line in enumerate(lines) if first in line), None)
    if start is None:
        raise ValueError(f"has no {first!r}")
    if last:
        end = next((i for i, line in enumerate(lines) if i > start and last in line), None)
        if end is None:
            raise ValueError(f"has no {last!r} after {first!r}")
    else:
        deeper = " " * (len(lines[start]) - len(lines[start].lstrip()) + 1)
        end = start
        for index, line in enumerate(lines[start + 1 :], start + 1):
            if not line.startswith((deeper, "\t")) and line:
                break
            end = index
    return textwrap.dedent("\n".join(lines[start : end + 1])).rstrip()


def with_excerpts(markdown: str, files: Tree, where: str) -> str:
    """Return a page with the lines of the project in place of what names them; ValueError names the page."""

    def shown(match: re.Match[str]) -> str:
        path = match["path"]
        if path not in files:
            raise ValueError(f"{where}: a project has no {path}")
        try:
            lines = excerpt(files[path].text or "", match["first"], match["last"])
        except ValueError as error:
            raise ValueError(f"{where}: {path} {error}") from None
        colour = COLOURS.get(
            Path(path).suffix or Path(path).name, "sh" if "bin/" in path else "text"
        )
        block = f'```{colour} title="{path}"\n{lines}\n```'
        return textwrap.indent(block, match["indent"])

    return EXCERPT.sub(shown, markdown)


def written(language: str) -> Iterator[tuple[str, Path]]:
    """Yield the pages by hand in a language: the name and the file."""
    for path in sorted(SOURCES.rglob("*.md")):
        name = path.relative_to(SOURCES).as_posix().removesuffix(".md")
        stem, _, ending = name.rpartition(".")
        if (ending if stem and ending in LANGUAGES else "en") == language:
            yield f"{stem if language != 'en' else name}.md", path


def pages(language: str) -> Page:
    """Return all pages in a language by their paths."""
    files = project(language)[0]
    found = {
        name: with_excerpts(path.read_text("utf-8"), files, path.relative_to(ROOT).as_posix())
        for name, path in written(language)
    }
    found |= {f"reference/{name}.md": make(language) for name, make in REFERENCE.items()}
    return found | {f"project/{name}": text for name, text in documents(language).items()}


def navigation(language: str, names: Collection[str]) -> list[Any]:
    """Return the navigation: that of mkdocs.yml, with a language's titles, and with pages in place of patterns."""
    found: list[Any] = []
    for entry in configuration()["nav"]:
        if isinstance(entry, str):
            found.append(entry)
            continue
        for title, patterns in entry.items():
            parts = [
                name for pattern in patterns for name in fnmatch.filter(sorted(names), pattern)
            ]
            found.append({WORDS[language][title]: parts})
    return found


def below(language: str) -> str:
    """Return the folder of a language on the site."""
    return "" if language == "en" else f"{language}/"


def address() -> str:
    """Return where GitHub Pages serves the site of this repository."""
    return site(repository())


def alternates() -> list[dict[str, str]]:
    """Return the menu of languages."""
    top = urlsplit(address()).path
    return [
        {"name": NAMES[language], "link": top + below(language), "lang": language}
        for language in LANGUAGES
    ]


def lay_out(folder: Path) -> list[Path]:
    """Write the pages, pictures and configuration of each language into a folder, emptied first; return the latter."""
    shutil.rmtree(folder, ignore_errors=True)
    return [lay_out_language(folder, language) for language in LANGUAGES]


def lay_out_language(folder: Path, language: str) -> Path:
    """Write one language; return its configuration."""
    found = pages(language)
    for name, text in found.items():
        path = folder / language / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for path in SOURCES.rglob("*.png"):
        shutil.copy(path, folder / language / path.relative_to(SOURCES))
    shutil.copy(ROOT / "drydock" / "schema.json", folder / language / "reference")
    base = configuration()
    base |= {
        "docs_dir": language,
        "site_dir": f"site/{below(language)}",
        "site_url": address() + below(language),
        "site_description": WORDS[language]["description"],
        "theme": {**base["theme"], "language": language},
        "extra": {**base["extra"], "alternate": alternates()},
        "nav": navigation(language, found),
    }
    path = folder / f"{language}.yml"
    path.write_text(yaml.safe_dump(base, allow_unicode=True), "utf-8")
    return path


def main() -> None:
    """Lay out, and build."""
    for path in lay_out(LAID_OUT):
        command = [
            sys.executable,
            "-m",
            "zensical",
            "build",
            "--strict",
            "--config-file",
            str(path),
        ]
        if status := subprocess.run(command).returncode:
            sys.exit(status)
    shutil.rmtree(SITE, ignore_errors=True)
    (LAID_OUT / "site").rename(SITE)


if __name__ == "__main__":
    main()
