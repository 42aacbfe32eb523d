"""Who calls the API: a user, or another service."""

from typing import Any

import jwt
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken

from ..accounts.models import User
from .callers import caller, issuer


class Authentication(JWTAuthentication):
    """A service acts as the active user of its name: the admin says what it may do."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the user and the token; InvalidToken if it is not valid, None if there is none."""
        header = self.get_header(request)
        token = self.get_raw_token(header) if header else None
        if not token or not issuer(token):
            return super().authenticate(request)
        try:
            return User.objects.get(username=caller(token), is_active=True), token
        except (jwt.PyJWTError, User.DoesNotExist) as error:
            raise InvalidToken from error


class Scheme(SimpleJWTScheme):
    """The same as for users, in the OpenAPI document."""

    target_class = "{{ cookiecutter.project_slug }}.services.authentication.Authentication"
