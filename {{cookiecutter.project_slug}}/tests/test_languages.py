"""The pages in the languages that visitors may choose, with nothing left in another one."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.handlers.exception import response_for_exception
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

{% if cookiecutter.sample_app %}
from .factories import ReadingFactory

{% endif %}
pytestmark = pytest.mark.django_db

# The words that a page in this language does not have.
FOREIGN = {"en": "[가-힣]+", "ko-kr": "[A-Za-z]{2,}"}
LANGUAGES = [code for code, name in settings.LANGUAGES if code in FOREIGN]
# Names are the same in all languages. Django keeps those of permissions in the database.
NAMES = {"API", "Django", "mm", "Mac", "Control", "Command", "LDAP", "Single", "Sign", "On"}
# Apps whose texts are in all languages: add yours when its texts are.
TRANSLATED = ["accounts"{{ ', "drainage", "kakao"' if cookiecutter.sample_app }}]
PERMISSION = re.compile("Can (add|change|delete|view) ")
# The admin's questions before it deletes name relations in the site's language; "View on site" may lead elsewhere.
LEFT_OUT = re.compile("/delete/$|^/admin/r/")
# Whose pages these are: other packages speak the languages that they have.
OURS = ("{{cookiecutter.project_slug}}.", "django."{{ ', "drf_spectacular."' if cookiecutter.sample_app }})


def texts(page: str) -> Iterator[str]:
    """Yield what a page shows or reads out, without code and what says that it is in a language of its own."""
    page = re.sub(r"<(script|style|code)\b.*?</\1>|<!--.*?-->", "", page, flags=re.DOTALL)
    page = re.sub(r"<(?!html)(\w+)[^>]* lang=.*?</\1>", "", page, flags=re.DOTALL)
    # What the admin offers to choose are rows, which have one language.
    page = re.sub(r"<select\b[^>]* multiple.*?</select>", "", page, flags=re.DOTALL)
    page = re.sub(r'<a href="\?\w+__exact=.*?</a>', "", page, flags=re.DOTALL)
    # Django's pictures describe themselves in English.
    page = re.sub('<img src="[^"]*/admin/[^>]*>', "", page)
    yield from re.findall(r' (?:alt|aria-label|placeholder|title)="([^"]*)"', page)
    yield from re.sub("<[^>]*>", "\n", page.replace(escape(settings.SITE_NAME), "")).splitlines()


def foreign(page: str, language: str) -> set[str]:
    """Return the words of a page that are not in its language."""
    return {
        word
        for text in texts(page)
        if not PERMISSION.search(text)
        for word in re.findall(FOREIGN[language], html.unescape(text))
    } - NAMES


def pages(client: Client, *paths: str) -> Iterator[tuple[str, str]]:
    """Yield these pages and those of ours that they lead to, each once, whatever its query: the path and the text."""
    waiting, seen = [*paths], {*paths}
    while waiting:
        path = waiting.pop()
        response = client.get(path, follow=True)
        missing = response.status_code == 404
        ours = missing or response.resolver_match.func.__module__.startswith(OURS)
        if ours and response.headers["Content-Type"].startswith("text/html"):
            yield path, response.text
            links = re.findall(r'href="(/(?!static/)[^"?#]*)', response.text)
            found = {link for link in links if not LEFT_OUT.search(link)} - seen
            waiting += found
            seen |= found


@pytest.fixture
def editor() -> Any:
    """Return a user who may do everything in the admin with the apps whose texts are translated."""
    user = get_user_model().objects.create_user("1", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=TRANSLATED))
    return user


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_in_its_language(language: str, editor: Any) -> None:
{% if cookiecutter.sample_app %}
    ReadingFactory.create(station__name="1", station__district__name="1")
{% endif %}
    client = Client(headers={"Accept-Language": language})
    visited = [
        reverse(name)
        for name in ("login", "password_reset", "password_reset_done", "password_reset_complete")
    ]
    left = {path: foreign(page, language) for path, page in pages(client, "/", *visited)}
    client.force_login(editor)
    left |= {path: foreign(page, language) for path, page in pages(client, "/", "/nowhere/")}
    assert len(left) > len(visited)
    assert not {path: words for path, words in left.items() if words}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_a_refused_form_is_in_its_language(language: str) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": language})
    page = client.post(reverse("login")).text
    assert f'<html lang="{language}"' in page
    assert not foreign(page, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_an_error_is_in_its_language(language: str, rf: RequestFactory) -> None:
    with translation.override(language):
        try:
            raise ValueError
        except ValueError as error:
            page = response_for_exception(rf.get("/"), error).text
    assert f'<html lang="{language}"' in page
    assert not foreign(page, language)


def test_a_visitor_chooses_a_language_and_stays_on_the_page(client: Client) -> None:
    for code, _ in settings.LANGUAGES:
        chosen = client.post(reverse("set_language"), {"language": code, "next": "/nowhere/?q=1"})
        assert chosen.headers["Location"] == "/nowhere/?q=1"
        page = client.get("/nowhere/").text
        assert f'<html lang="{code}"' in page
        others = {other for other, _ in settings.LANGUAGES} - {code}
        assert {*re.findall('name="language" value="(.*?)"', page)} == others


def test_without_a_choice_the_language_is_the_sites(client: Client) -> None:
    expected = translation.get_supported_language_variant(settings.LANGUAGE_CODE)
    assert f'<html lang="{expected}"' in client.get("/nowhere/").text
