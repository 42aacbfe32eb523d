"""The landing page. It is yours to replace, with these tests."""

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import RequestFactory
from django.utils.html import escape

from .views import home

pytestmark = pytest.mark.django_db


def test_it_shows_the_name_of_the_site(rf: RequestFactory) -> None:
    response = home(rf.get("/"))
    assert response.status_code == 200
    assert f"<h1>{escape(settings.SITE_NAME)}</h1>" in response.text


def test_it_links_a_stylesheet_that_exists(rf: RequestFactory) -> None:
    assert 'href="/static/core/site.css"' in home(rf.get("/")).text
    assert finders.find("core/site.css")


def test_it_refuses_to_be_written(rf: RequestFactory) -> None:
    assert home(rf.post("/")).status_code == 405
