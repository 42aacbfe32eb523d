"""What other services need to check this one's tokens."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from .tokens import published


@require_safe
def keys(request: HttpRequest) -> JsonResponse:
    """Return the public keys."""
    return JsonResponse(published(), headers={"Cache-Control": "no-store"})
