{% from "catalogue.jinja" import calls with context %}
"""The URLs of the project."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from {{ cookiecutter.project_slug }}.core.views import home
{% if calls.over_http %}
from {{ cookiecutter.project_slug }}.services.views import keys
{% endif %}

admin.site.site_header = admin.site.site_title = settings.SITE_NAME

handler500 = "config.health.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("accounts/", include("{{ cookiecutter.project_slug }}.accounts.urls")),
    path("admin/", admin.site.urls),
{% if cookiecutter.sample_app %}
    path("api/v1/", include("{{ cookiecutter.project_slug }}.api.urls")),
    path("districts/", include("{{ cookiecutter.project_slug }}.drainage.urls")),
{% endif %}
{% if calls.over_http %}
    path(".well-known/jwks.json", keys, name="keys"),
{% endif %}
    path("i18n/", include("django.conf.urls.i18n")),
    # In development only: nginx serves the media files in production.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
