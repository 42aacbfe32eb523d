"""The pages that are open to every visitor."""

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext


def test_home_shows_the_name_of_the_site(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert f"<h1>{escape(settings.SITE_NAME)}</h1>" in response.text


def test_home_links_a_stylesheet_that_exists(client: Client) -> None:
    assert 'href="/static/core/site.css"' in client.get("/").text
    assert finders.find("core/site.css")


def test_home_forbids_foreign_scripts_and_frames(client: Client) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_home_refuses_to_be_written(client: Client) -> None:
    assert client.post("/").status_code == 405


def test_every_answer_names_its_request(client: Client) -> None:
    request_id = "0123456789abcdef0123456789abcdef"
    response = client.get("/", headers={"X-Request-ID": request_id})
    assert response.headers["X-Request-ID"] == request_id


@pytest.mark.django_db
def test_admin_asks_for_a_login(client: Client) -> None:
    response = client.get(reverse("admin:index"), follow=True)
    assert response.status_code == 200
    assert escape(settings.SITE_NAME) in response.text


def test_admin_opens_for_an_administrator(admin_client: Client) -> None:
    assert admin_client.get(reverse("admin:accounts_user_changelist")).status_code == 200


def test_a_page_that_does_not_exist_looks_like_the_site(client: Client) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert f"<h1>{gettext('Page not found')}</h1>" in response.text
    assert "core/site.css" in response.text


def test_an_error_looks_like_the_site(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("django.shortcuts.loader.render_to_string")
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    assert f"<h1>{gettext('Server error')}</h1>" in response.text
    assert "core/site.css" in response.text
