{% from "quoting.jinja" import literal, python %}
{% from "catalogue.jinja" import django, db, cache, languages, queue, calls with context %}
"""Django settings, driven by the environment: .env.example describes the variables.

{{ django.docs }}/ref/settings/
"""

{% if db.image %}
from functools import partial
{% endif %}
from pathlib import Path
{% if queue.image %}
from typing import Any
{% endif %}

{% if queue.image %}
from celery.schedules import crontab
{% endif %}
from django.utils.translation import get_language_info
{% if queue.image %}
from django_guid.integrations import CeleryIntegration
{% endif %}
from environ import Env
{% if queue.image %}
from kombu import Queue
{% endif %}

{% if cookiecutter.sample_app %}
from {{ cookiecutter.project_slug }}.api import settings as api
{% endif %}
{% if calls.over_http %}
from {{ cookiecutter.project_slug }}.services import settings as services
{% endif %}
{% if cookiecutter.sample_app or calls.over_http %}

{% endif %}
from . import error_tracking
{% if queue.image %}
from .celery import broker
{% endif %}
from .environment import (
    address,
    boolean,
    choice,
    database,
    hosts,
    mailer,
    networks,
    number,
{% if db.image %}
    replicas,
{% endif %}
    setting,
    share,
    url,
    words,
)

BASE_DIR = Path(__file__).resolve().parent.parent
SITE_NAME = {{ python(cookiecutter.project_name) }}

# With DEBUG on, variables that are not set mean a development machine without servers.
DEBUG = boolean("DJANGO_DEBUG")

SECRET_KEY = setting(
    "DJANGO_SECRET_KEY", "insecure-key-of-a-development-machine" if DEBUG else None
)
SECRET_KEY_FALLBACKS = words(setting("DJANGO_SECRET_KEY_FALLBACKS", ""))

ALLOWED_HOSTS = hosts("ALLOWED_HOSTS", "localhost 127.0.0.1" if DEBUG else None)
# These belong to nginx and the application server, whose errors would say less.
networks("TRUSTED_PROXY")
number("WEB_CONCURRENCY", 2, least=1)
REQUEST_TIMEOUT = number("REQUEST_TIMEOUT", 30, least=2)
UPLOAD_LIMIT = number("UPLOAD_LIMIT", 10, least=1)
# The fields of a form, unlike its files, are read into memory.
DATA_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_LIMIT * 2**20 // 4

INSTALLED_APPS = [
    "{{ cookiecutter.project_slug }}.accounts",
{% if cookiecutter.sample_app %}
    "{{ cookiecutter.project_slug }}.api",
{% endif %}
    "{{ cookiecutter.project_slug }}.core",
{% if cookiecutter.sample_app %}
    "{{ cookiecutter.project_slug }}.drainage",
    "{{ cookiecutter.project_slug }}.kakao",
{% endif %}
{% if django.csp.app %}
    "{{ django.csp.app }}",
{% endif %}
    "django_guid",
{% if cookiecutter.sample_app %}
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "rest_framework",
{% endif %}
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
if DEBUG:
    # One of the developer tools, for `make migrations`.
    INSTALLED_APPS.append("django_migration_linter")

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "config.metrics.MetricsMiddleware",
    "config.middleware.ClientAddressMiddleware",
    "django_guid.middleware.guid_middleware",
    "django.middleware.security.SecurityMiddleware",
    "{{ django.csp.middleware }}",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.PolicyMiddleware",
{% if calls.over_http %}
    "{{ cookiecutter.project_slug }}.services.middleware.ServiceUnavailableMiddleware",
{% endif %}
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
    "default": url(
        "DATABASE_URL",
        f"sqlite:///{BASE_DIR / 'db.sqlite3'}" if DEBUG else None,
        database,
        {{ python(db.url.replace("{slug}", cookiecutter.project_slug).replace("${DATABASE_PASSWORD}", "password")) }},
    ),
}
{% if db.image %}
# Copies of it, from which requests read: config/database/replicas.py
REPLICAS = url(
    "DATABASE_REPLICA_URLS",
    "",
    partial(replicas, DATABASES["default"]),
    {{ python(db.url.replace("{slug}", cookiecutter.project_slug).replace("${DATABASE_PASSWORD}", "password").replace("@" ~ cookiecutter.database, "@replica.example.com")) }},
)
DATABASES |= REPLICAS
DATABASE_ROUTERS = ["config.database.replicas.ReplicaRouter"] if REPLICAS else []
# After the health checks, before the sessions, which may write last.
MIDDLEWARE[1:1] = ["config.database.replicas.ReplicaMiddleware"] if REPLICAS else []
# How long a statement may take, and how long it may wait for a lock. A waiting request keeps others waiting;
# a command such as migrate may take its time, but must not wait for a lock for ever. Seconds.
SERVING = boolean("DJANGO_SERVING")
QUERY_TIMEOUT = number("QUERY_TIMEOUT", 10, least=1, most=REQUEST_TIMEOUT - 1)
STATEMENT_TIMEOUT = QUERY_TIMEOUT if SERVING else 0
LOCK_TIMEOUT = number("LOCK_TIMEOUT", 3 if SERVING else 30)
{% endif %}
for connection in DATABASES.values():
    connection["CONN_MAX_AGE"] = 60
    connection["CONN_HEALTH_CHECKS"] = True
    if connection["ENGINE"] == "{{ db.engine }}":
{% if db.image %}
        connection["ENGINE"] = "config.database"
{% endif %}
        connection["OPTIONS"] = {
{% for name, value in db.options.items() %}
            "{{ name }}": {{ literal(value)|indent(4) }},
{% endfor %}
            **connection.get("OPTIONS", {}),
        }
{% if django.default_auto_field %}
DEFAULT_AUTO_FIELD = "{{ django.default_auto_field }}"
{% endif %}

# Cache

CACHES = {
    "default": url(
        "CACHE_URL",
        "locmemcache://" if DEBUG else None,
        Env.cache_url_config,
        {{ python(cache.url.replace("${CACHE_PASSWORD}", "password")) }},
    )
}
{% if cache.image %}
if CACHES["default"]["BACKEND"] == "{{ cache.backend }}":
    CACHES["default"]["BACKEND"] = "config.cache.SoftCache"
    CACHES["default"]["OPTIONS"] = {
{% for name, value in cache.options.items() %}
        "{{ name }}": {{ literal(value) }},
{% endfor %}
        **CACHES["default"].get("OPTIONS", {}),
    }
{% endif %}

# E-mail

{% if django.mailers %}
MAILERS = {"default": mailer("EMAIL_URL", "consolemail://" if DEBUG else "smtp://localhost")}
{% else %}
MAILER = mailer("EMAIL_URL", "consolemail://" if DEBUG else "smtp://localhost")
EMAIL_BACKEND = MAILER["BACKEND"]
EMAIL_HOST = MAILER["OPTIONS"].get("host")
EMAIL_PORT = MAILER["OPTIONS"].get("port")
EMAIL_HOST_USER = MAILER["OPTIONS"].get("username")
EMAIL_HOST_PASSWORD = MAILER["OPTIONS"].get("password")
EMAIL_USE_TLS = MAILER["OPTIONS"].get("use_tls")
EMAIL_USE_SSL = MAILER["OPTIONS"].get("use_ssl")
EMAIL_TIMEOUT = MAILER["OPTIONS"].get("timeout")
{% endif %}
DEFAULT_FROM_EMAIL = setting("DEFAULT_FROM_EMAIL", "webmaster@{{ cookiecutter.domain_name }}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "

# Users

AUTH_USER_MODEL = "accounts.User"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"
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
# What visitors may choose; Django REST framework's Korean is of South Korea.
LANGUAGES = [(code, get_language_info(code)["name_local"]) for code in ("{{ languages|join('", "') }}")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "{{ cookiecutter.time_zone }}"
USE_TZ = True

# Static and media files: nginx serves both in production.

STATIC_URL = "static/"
STATIC_ROOT = Path(setting("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
MEDIA_URL = "media/"
MEDIA_ROOT = Path(setting("MEDIA_ROOT", str(BASE_DIR / "media")))
STORAGES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "config.storage.StaticFilesStorage"
        )
    },
}

# Security

HTTPS = boolean("HTTPS")
# nginx sets this header itself on every request; the backend is only reachable through nginx.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = HTTPS
HSTS_SECONDS = number("HSTS_SECONDS", 3600)
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = boolean("HSTS_PRELOAD")
# Preloading is a decision of its own, for years; so is framing: FRAME_ANCESTORS.
SILENCED_SYSTEM_CHECKS = ["security.W019", "security.W021"]
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SECURE = HTTPS

# What browsers let pages load and do, and who may show them in frames: X-Frame-Options follows.
NONE, SELF = "'none'", "'self'"
FRAME_ANCESTORS = [NONE]
X_FRAME_OPTIONS = "DENY" if FRAME_ANCESTORS == [NONE] else "SAMEORIGIN"
POLICY = {
    "default-src": [SELF],
    "connect-src": [SELF],
    "font-src": [SELF],
    "img-src": [SELF, "data:"],
    "script-src": [SELF],
    "style-src": [SELF],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": FRAME_ANCESTORS,
    "object-src": [NONE],
}
# What some paths may do besides, such as an editor's: {"/cms/": {"style-src": ["'unsafe-inline'"]}}
POLICY_PATHS: dict[str, dict[str, list[str]]] = {}
# Browsers only write into their console what the policy would forbid.
POLICY_REPORT_ONLY = boolean("CSP_REPORT_ONLY")
{% if django.csp.app %}
CONTENT_SECURITY_POLICY = None if POLICY_REPORT_ONLY else {"DIRECTIVES": POLICY}
CONTENT_SECURITY_POLICY_REPORT_ONLY = {"DIRECTIVES": POLICY} if POLICY_REPORT_ONLY else None
{% else %}
SECURE_CSP = {} if POLICY_REPORT_ONLY else POLICY
SECURE_CSP_REPORT_ONLY = POLICY if POLICY_REPORT_ONLY else {}
{% endif %}

{% if queue.image %}
{% include "choices/task_queue/" ~ cookiecutter.task_queue ~ "/settings.py" %}

{% endif %}
{% if calls.over_http %}
{% include "choices/services/" ~ cookiecutter.services ~ "/settings.py" %}

{% endif %}
{% if cookiecutter.sample_app %}
# API

REST_FRAMEWORK = api.REST_FRAMEWORK
DRF_STANDARDIZED_ERRORS = api.DRF_STANDARDIZED_ERRORS
# A separate key: DJANGO_SECRET_KEY can be replaced, but its fallbacks only work for Django itself.
SIMPLE_JWT = {**api.SIMPLE_JWT, "SIGNING_KEY": setting("JWT_SIGNING_KEY", SECRET_KEY)}
SPECTACULAR_SETTINGS = {**api.SPECTACULAR_SETTINGS, "TITLE": SITE_NAME}
KAKAO_CLIENT_ID = setting("KAKAO_CLIENT_ID", "")
KAKAO_CLIENT_SECRET = setting("KAKAO_CLIENT_SECRET", "")
KAKAO_REDIRECT_URI = setting("KAKAO_REDIRECT_URI", "")

{% endif %}
# Errors

error_tracking.start(setting("SENTRY_DSN", ""))

# Traces, if they have an address: config/tracing.py. All or a share of them.

OTEL_EXPORTER_OTLP_ENDPOINT = address("OTEL_EXPORTER_OTLP_ENDPOINT")
OTEL_EXPORTER_OTLP_HEADERS = setting("OTEL_EXPORTER_OTLP_HEADERS", "")
OTEL_TRACES_SAMPLER_ARG = share("OTEL_TRACES_SAMPLER_ARG")

# Logs: JSON on standard error, or readable lines in development. nginx makes the request id.

LOG_LEVEL = choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")
{% if queue.image %}
DJANGO_GUID = {
    "GUID_HEADER_NAME": "X-Request-ID",
    "EXPOSE_HEADER": False,
    # Tasks log the id of the request that sent them.
    "INTEGRATIONS": [CeleryIntegration(use_django_logging=True)],
}
{% else %}
DJANGO_GUID = {"GUID_HEADER_NAME": "X-Request-ID", "EXPOSE_HEADER": False}
{% endif %}
LOG_FILTERS = {"request_id": "django_guid.log_filters.CorrelationId"} | (
    {"trace_id": "config.tracing.TraceId"} if OTEL_EXPORTER_OTLP_ENDPOINT else {}
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {name: {"()": path} for name, path in LOG_FILTERS.items()},
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(levelname)s %(name)s %(message)s %(correlation_id)s",
            "json_ensure_ascii": False,
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
            "filters": [*LOG_FILTERS],
            "formatter": "line" if DEBUG else "json",
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Without their own handlers: the root's is enough.
        "django": {"handlers": [], "level": LOG_LEVEL},
        "django_guid": {"level": "WARNING"},
    },
}
