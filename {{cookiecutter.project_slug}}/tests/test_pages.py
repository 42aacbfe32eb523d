"""What every page of the site has, whichever pages it has."""

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.handlers.exception import response_for_exception
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext

pytestmark = pytest.mark.django_db


def test_foreign_scripts_and_frames_are_forbidden(client: Client) -> None:
    policy = client.get(reverse("admin:login")).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


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
