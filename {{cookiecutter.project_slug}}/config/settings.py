{% from "quoting.jinja" import literal, python %}
{% from "catalogue.jinja" import django, db, cache with context %}
"""Django settings, driven by the environment: .env.example describes every variable.

{{ django.docs }}/ref/settings/
"""

from pathlib import Path

import environ
{% if django.csp.app %}
from csp.constants import NONE, SELF
{% else %}
from django.utils.csp import CSP
{% endif %}

BASE_DIR = Path(__file__).resolve().parent.parent
SITE_NAME = {{ python(cookiecutter.project_name) }}

env = environ.Env()

# Unset, the variables mean a development machine without any server only where DEBUG is on.
DEBUG = env.bool("DJANGO_DEBUG", default=False)
REQUIRED = env.NOTSET

SECRET_KEY = env.str("DJANGO_SECRET_KEY", default="insecure-development-key" if DEBUG else REQUIRED)
SECRET_KEY_FALLBACKS = env.list("DJANGO_SECRET_KEY_FALLBACKS", default=[])

# One variable for nginx and Django, hence the blanks in place of commas.
ALLOWED_HOSTS = env.str(
    "ALLOWED_HOSTS", default="localhost 127.0.0.1" if DEBUG else REQUIRED
).split()

INSTALLED_APPS = [
    "{{ cookiecutter.project_slug }}.accounts",
    "{{ cookiecutter.project_slug }}.core",
{% if django.csp.app %}
    "{{ django.csp.app }}",
{% endif %}
    "django_guid",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "django_guid.middleware.guid_middleware",
    "django.middleware.security.SecurityMiddleware",
    "{{ django.csp.middleware }}",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database

DATABASES = {
    "default": env.db(
        "DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}" if DEBUG else REQUIRED
    )
}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "{{ db.engine }}":
    DATABASES["default"]["OPTIONS"] = {
{% for name, value in db.options.items() %}
        "{{ name }}": {{ literal(value) }},
{% endfor %}
        **DATABASES["default"].get("OPTIONS", {}),
    }
{% if cookiecutter.django_version == "5.2" %}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
{% endif %}

# Cache

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://" if DEBUG else REQUIRED)}
{% if cache.options %}
if CACHES["default"]["BACKEND"] == "{{ cache.backend }}":
    # A cache that is down makes the site slow, not broken.
    CACHES["default"]["OPTIONS"] = {
{% for name, value in cache.options.items() %}
        "{{ name }}": {{ literal(value) }},
{% endfor %}
        **CACHES["default"].get("OPTIONS", {}),
    }
{% endif %}

# Users

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Language and time

LANGUAGE_CODE = "{{ cookiecutter.language_code }}"
TIME_ZONE = "{{ cookiecutter.time_zone }}"
USE_TZ = True

# Static and media files: nginx serves both in production.

STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=BASE_DIR / "staticfiles")
MEDIA_URL = "media/"
MEDIA_ROOT = env.path("MEDIA_ROOT", default=BASE_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
# The site links to the hashed names only, and nginx sends the compressed files.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Security

HTTPS = env.bool("HTTPS", default=False)
# nginx sets this header itself on every request; the backend is reached through nginx only.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=3600) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
X_FRAME_OPTIONS = "DENY"
{% if django.csp.app %}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
{% else %}
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "object-src": [CSP.NONE],
}
{% endif %}

# Logs: JSON on standard error, or lines to read in development. nginx makes the request id.

DJANGO_GUID = {"GUID_HEADER_NAME": "X-Request-ID", "EXPOSE_HEADER": False}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "django_guid.log_filters.CorrelationId"}},
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(levelname)s %(name)s %(message)s %(correlation_id)s",
            "timestamp": "time",
            "rename_fields": {
                "levelname": "level",
                "name": "logger",
                "correlation_id": "request_id",
            },
        },
        "line": {"format": "%(levelname)s %(name)s %(message)s"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id"],
            "formatter": "line" if DEBUG else "json",
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Without handlers of their own: the root's is enough.
        "django": {"handlers": [], "level": "INFO"},
        "django_guid": {"level": "WARNING"},
    },
}
