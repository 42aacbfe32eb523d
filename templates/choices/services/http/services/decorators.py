"""Views that only other services may call."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jwt
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from .callers import caller

View = Callable[..., HttpResponse]


def only_services(*names: str) -> Callable[[View], View]:
    """Let only these services call a view: anybody else gets 401, and other services 403."""

    def decorate(view: View) -> View:
        # A browser sends no such token by itself.
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            try:
                name = caller(token if scheme == "Bearer" else "")
            except jwt.PyJWTError:
                headers = {"WWW-Authenticate": "Bearer"}
                return HttpResponse("Unauthorized", status=401, headers=headers)
            if name not in names:
                return HttpResponse("Forbidden", status=403)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
