"""Signing in and out, and a new password by e-mail."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth import get_user
from django.core import mail
from django.test import Client, override_settings
from django.urls import reverse

from .models import User

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_passwords() -> Iterator[None]:
    """Let a password take no time: hashing is slow on purpose, and Django's own."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def user(db: None) -> User:
    """Return a user who may sign in."""
    return User.objects.create_user("user", "user@example.com", PASSWORD)


def test_a_user_signs_in_and_out(client: Client, user: User) -> None:
    form = {"username": "user", "password": PASSWORD}
    home = reverse(settings.LOGIN_REDIRECT_URL)
    assert client.post(reverse("login"), form).headers["Location"] == home
    assert get_user(client) == user
    assert client.post(reverse("logout")).headers["Location"] == home
    assert get_user(client).is_anonymous


def test_a_wrong_password_is_refused(client: Client, user: User) -> None:
    response = client.post(reverse("login"), {"username": "user", "password": "wrong"})
    assert response.status_code == 200
    assert "errorlist" in response.text
    assert get_user(client).is_anonymous


def test_a_wrong_password_is_refused_in_plain_korean(client: Client, db: None) -> None:
    # Django's own text joins two words with both particles, "와/과".
    refused = "사용자 이름 또는 비밀번호가 올바르지 않습니다."
    for name in ("login", "admin:login"):
        form = {"username": "user", "password": "wrong"}
        page = client.post(reverse(name), form, headers={"Accept-Language": "ko"}).text
        assert refused in page


def test_a_user_gets_a_new_password_by_email(client: Client, user: User) -> None:
    sent = client.post(reverse("password_reset"), {"email": user.email}, follow=True)
    assert sent.status_code == 200
    (message,) = mail.outbox
    assert settings.SITE_NAME in message.subject
    (link,) = re.findall("https?://[^/]+(/.*)", str(message.body))
    page = client.get(link, follow=True)
    form = {"new_password1": "another long one", "new_password2": "another long one"}
    changed = client.post(page.redirect_chain[-1][0], form, follow=True)
    assert reverse("login") in changed.text
    user.refresh_from_db()
    assert user.check_password("another long one")
    # The link is good once.
    assert 'type="password"' not in client.get(link, follow=True).text


def test_nobody_learns_who_has_an_account(client: Client, user: User) -> None:
    pages = [
        client.post(reverse("password_reset"), {"email": email}, follow=True)
        for email in (user.email, "nobody@example.com")
    ]
    assert len({page.redirect_chain[-1] for page in pages}) == 1
    assert len(mail.outbox) == 1
