"""A project's documents in each language: they say the same as the English ones, and in that language."""

import re
from collections import Counter
from dataclasses import dataclass

import pytest

from drydock import render
from drydock.tree import Tree, read_tree
from tests.support.catalogue import COMBINATIONS, ROOT
from tests.support.choices import label

FOLDERS = ROOT / "templates" / "languages"
TOP = "{{cookiecutter.project_slug}}"
# A language with documents of its own -> its letters, and a project's name in them.
TRANSLATIONS = {"ko": ("[가-힣]", "한강 수위")}

BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile("`[^`\n]+`")
LINK = re.compile(r"(?<=\])\([^)]+\)|<https?:[^>]+>")
COMMENT = re.compile("(?:^| +)# (.*)", re.MULTILINE)
ADDRESS = re.compile(r"[\w+]+://[!-~]*", re.ASCII)
NUMBER = re.compile(r"\d+")
# Names have capitals, or stand alone.
SENTENCE = re.compile(r"\b[a-z']+ [a-z']+\b", re.ASCII)

Documents = dict[str, str]


@pytest.fixture(scope="module")
def sources() -> Tree:
    """Return the files of the template that its documents are made of."""
    tree = {"cookiecutter.json": read_tree(ROOT)["cookiecutter.json"]}
    tree |= {f"templates/{path}": file for path, file in read_tree(ROOT / "templates").items()}
    for path, file in read_tree(ROOT / TOP).items():
        if "languages/" in (file.text or ""):
            tree[f"{TOP}/{path}"] = file
    return tree


def documents(
    sources: Tree, answers: dict[str, str], language: str, name: str = "Site"
) -> Documents:
    """Return the texts of a project's documents by their paths."""
    given = {"project_slug": "my_site", "project_name": name, "description": name, **answers}
    tree, _ = render.rendered(sources, {}, where="this", given={**given, "language_code": language})
    return {path: file.text or "" for path, file in tree.items()}


def pages(texts: Documents) -> Documents:
    """Return the documents that are in Markdown."""
    return {path: text for path, text in texts.items() if path.endswith(".md")}


@dataclass(frozen=True)
class Section:
    """What a section has in every language: code, links, and the form of its heading, tables and lists."""

    level: int
    blocks: list[str]
    code: Counter[str]
    links: Counter[str]
    columns: list[int]
    starts: list[str]


def sections(text: str) -> list[Section]:
    """Return the sections of a page."""
    blocks = [COMMENT.sub("", block) for block in BLOCK.findall(text)]
    found = []
    for part in re.split("^(?=#)", BLOCK.sub("\0", text), flags=re.MULTILINE)[1:]:
        count = part.count("\0")
        found.append(
            Section(
                level=len(part) - len(part.lstrip("#")),
                blocks=blocks[:count],
                code=Counter(CODE.findall(part)),
                links=Counter(LINK.findall(part)),
                columns=[line.count("|") for line in part.splitlines() if line.startswith("|")],
                starts=re.findall(r"^(?:- |\*\*)", part, re.MULTILINE),
            )
        )
        del blocks[:count]
    return found


def untranslated(text: str, letters: str) -> list[str]:
    """Return the lines that are still in English, code apart."""
    prose = ADDRESS.sub("", LINK.sub("", CODE.sub("", BLOCK.sub("", text))))
    lines = [line for line in prose.splitlines() if re.search("[A-Za-z]{2}", line)]
    left = [line for line in lines if SENTENCE.search(line) or not re.search(letters, line)]
    comments = [comment for block in BLOCK.findall(text) for comment in COMMENT.findall(block)]
    return left + [comment for comment in comments if not re.search(letters, comment)]


def test_every_language_has_every_document() -> None:
    names = {folder.name: {path.name for path in folder.iterdir()} for folder in FOLDERS.iterdir()}
    assert names == dict.fromkeys(["en", *TRANSLATIONS], names["en"])


@pytest.mark.parametrize("language", ["en-us", "en-gb", "pt-br"])
def test_other_languages_get_the_english_documents(language: str, sources: Tree) -> None:
    assert documents(sources, {}, language) == documents(sources, {}, "en")


@pytest.mark.parametrize("language", TRANSLATIONS)
@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_a_translation_has_the_sections_code_tables_and_links_of_the_english_page(
    answers: dict[str, str], language: str, sources: Tree
) -> None:
    english = pages(documents(sources, answers, "en"))
    translated = pages(documents(sources, answers, language))
    assert len(english) >= 2
    assert translated.keys() == english.keys()
    for path, text in english.items():
        assert sections(translated[path]) == sections(text), path


@pytest.mark.parametrize("language", TRANSLATIONS)
@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_a_translation_has_the_numbers_of_the_english_document(
    answers: dict[str, str], language: str, sources: Tree
) -> None:
    translated = documents(sources, answers, language)
    for path, text in documents(sources, answers, "en").items():
        # A translation may have more: figures for numbers that English writes as words.
        lacks = Counter(NUMBER.findall(text)) - Counter(NUMBER.findall(translated[path]))
        assert not lacks, path


@pytest.mark.parametrize("language", TRANSLATIONS)
@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_a_translation_describes_the_same_settings(
    answers: dict[str, str], language: str, sources: Tree
) -> None:
    texts = [documents(sources, answers, code)[".env.example"] for code in ("en", language)]
    english, translated = (
        re.sub("(?:^# .*\n)+", "# ...\n", text, flags=re.MULTILINE) for text in texts
    )
    assert translated == english
    names = [Counter(re.findall("[A-Z]+_[A-Z_]+", text, re.ASCII)) for text in texts]
    assert {*names[1]} == {*names[0]}


@pytest.mark.parametrize(("language", "words"), TRANSLATIONS.items())
@pytest.mark.parametrize("answers", COMBINATIONS, ids=label)
def test_nothing_is_left_in_english(
    answers: dict[str, str], language: str, words: tuple[str, str], sources: Tree
) -> None:
    letters, name = words
    texts = documents(sources, answers, language, name)
    comments = "\n".join(COMMENT.findall(texts.pop(".env.example")))
    for path, text in {**texts, ".env.example": comments}.items():
        assert untranslated(text, letters) == [], path
    for text in documents(sources, answers, "en").values():
        assert not re.search(letters, text)
