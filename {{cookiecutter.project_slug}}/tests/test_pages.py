"""What every page of the site has, whichever pages it has."""

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.handlers.exception import response_for_exception
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext

from config.middleware import PolicyMiddleware

pytestmark = pytest.mark.django_db


def test_pages_have_the_policy_of_the_settings(client: Client) -> None:
    sent = client.get("/nowhere/").headers["Content-Security-Policy"]
    for name, sources in settings.POLICY.items():
        assert f"{name} {' '.join(sources)}" in sent


@pytest.mark.parametrize("suffix", ["", "-Report-Only"])
def test_a_path_may_do_more(
    suffix: str, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"script-src": ["'unsafe-inline'"], "frame-ancestors": ["'self'"]}
    monkeypatch.setitem(settings.POLICY, "frame-ancestors", ["'none'"])
    monkeypatch.setattr(settings, "POLICY_PATHS", {"/editor/": more})
    monkeypatch.setattr(settings, "POLICY_REPORT_ONLY", bool(suffix))
    answer = PolicyMiddleware(lambda request: HttpResponse())
    headers = answer(rf.get("/editor/1/")).headers
    sent = headers[f"Content-Security-Policy{suffix}"].split("; ")
    assert " ".join(["script-src", *settings.POLICY["script-src"], "'unsafe-inline'"]) in sent
    assert "frame-ancestors 'self'" in sent
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "X-Frame-Options" not in answer(rf.get("/")).headers


def test_every_answer_names_its_request(client: Client) -> None:
    request_id = "0123456789abcdef0123456789abcdef"
    response = client.get(reverse("admin:login"), headers={"X-Request-ID": request_id})
    assert response.headers["X-Request-ID"] == request_id


def test_admin_asks_for_a_login(client: Client) -> None:
    response = client.get(reverse("admin:index"), follow=True)
    assert response.status_code == 200
    assert escape(settings.SITE_NAME) in response.text


def test_admin_opens_for_an_administrator(admin_client: Client) -> None:
    model = get_user_model()._meta.label_lower.replace(".", "_")
    assert admin_client.get(reverse(f"admin:{model}_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [(Http404(), 404, "Page not found"), (ValueError(), 500, "Server error")],
)
def test_an_error_looks_like_the_site(
    rf: RequestFactory, error: Exception, status: int, title: str
) -> None:
    try:
        raise error
    except type(error):
        response = response_for_exception(rf.get("/"), error)
    assert response.status_code == status
    assert f"<h1>{gettext(title)}</h1>" in response.text
    assert "core/site.css" in response.text


def test_a_form_without_its_token_is_refused_on_a_page_of_the_site() -> None:
    response = Client(enforce_csrf_checks=True).post(reverse("login"))
    assert response.status_code == 403
    assert f"<h1>{gettext('The form was not sent')}</h1>" in response.text
    assert "core/site.css" in response.text
