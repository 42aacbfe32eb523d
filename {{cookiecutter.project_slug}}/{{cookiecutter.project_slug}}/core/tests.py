{% from "catalogue.jinja" import queue with context %}
{% set checks = ["database_answers", "cache_answers"] + (["tasks_are_done"] if queue.image else []) %}
"""The landing page. It is yours to replace, with these tests."""

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import RequestFactory
from django.utils import translation
from django.utils.html import escape

from . import views
from .translations import TEXTS

pytestmark = pytest.mark.django_db


def test_it_shows_the_name_of_the_site(rf: RequestFactory) -> None:
    response = views.home(rf.get("/"))
    assert response.status_code == 200
    assert f"<h1>{escape(settings.SITE_NAME)}</h1>" in response.text


def test_it_links_a_stylesheet_that_exists(rf: RequestFactory) -> None:
    assert 'href="/static/core/site.css"' in views.home(rf.get("/")).text
    assert finders.find("core/site.css")


@pytest.mark.parametrize("works", [True, False])
def test_it_shows_what_works(
    works: bool, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ({{ '"' ~ checks|join('", "') ~ '"' }}):
        monkeypatch.setattr(views, name, lambda: works)
    page = views.home(rf.get("/")).text
    assert page.count('<dd class="good">') == ({{ checks|length }} if works else 0)
    assert page.count('<dd class="bad">') == (0 if works else {{ checks|length }})


def test_it_tells_developers_only_how_to_go_on(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "manage.py" not in views.home(rf.get("/")).text
    monkeypatch.setattr(settings, "DEBUG", True)
    assert "manage.py" in views.home(rf.get("/")).text


def test_it_refuses_to_be_written(rf: RequestFactory) -> None:
    assert views.home(rf.post("/")).status_code == 405


def test_korean_has_what_django_leaves_in_english() -> None:
    with translation.override("ko"):
        assert [text for text in TEXTS if translation.gettext(text) == text] == []
