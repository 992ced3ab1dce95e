"""All settings, from the environment.

Everything that differs between one machine and another is an environment variable, read here and
nowhere else. docs/operations.md lists them.
"""

import os
import sys
from datetime import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue
from whitenoise.compress import Compressor

from newsroom.embedded.broker import transport_options

# Django's generic classes take their type in brackets at run time too.
django_stubs_ext.monkeypatch()


def flag(name: str, default: str = "") -> bool:
    """Whether the environment variable `name` is switched on (1, true, yes, on)."""
    return os.environ.get(name, default).lower() in {"1", "true", "yes", "on"}


def hours(name: str, default: str) -> tuple[time, time] | None:
    """The hours that the environment variable `name` gives as "22:00-06:00"; None where it is empty."""
    given = os.environ.get(name, default).strip()
    try:
        start, end = (
            (time.fromisoformat(part.strip()) for part in given.split("-")) if given else (None, None)
        )
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is “{given}”: write it as 22:00-06:00, or leave it empty."
        ) from None
    return (start, end) if start is not None and end is not None else None


def time_of_day(name: str, default: str) -> time:
    """The time of day that the environment variable `name` gives as "17:00"."""
    given = os.environ.get(name, "").strip() or default
    try:
        return time.fromisoformat(given).replace(microsecond=0, tzinfo=None)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is “{given}”: write it as 17:00.") from None


def ports(text: str) -> tuple[range, ...]:
    """The ports in a list such as "443,8000-8100"."""
    spans = [part.partition("-") for part in text.split(",") if part.strip()]
    return tuple(range(int(first), int(last or first) + 1) for first, _, last in spans)


BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("NEWSROOM_VAR", BASE_DIR / "var")).resolve()

DEBUG = flag("DEBUG")
DEMO = flag("NEWSROOM_DEMO")
# Only what never serves a page may run without a secret of its own.
OFFLINE = (
    "pytest" in sys.modules
    or sys.argv[1:2] in (["makemigrations"], ["catalogues"], ["test"])
    or "mypy" in sys.argv[0]
)
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if not SECRET_KEY:
    if not (DEBUG or OFFLINE):
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it to a long random value that no one else knows; "
            "`script/server` makes and keeps one by itself."
        )
    SECRET_KEY = "for-tests-and-debugging-only-never-for-a-page-that-anybody-reads"  # noqa: S105
ALLOWED_HOSTS = [host for host in os.environ.get("ALLOWED_HOSTS", "").split(",") if host]
if not ALLOWED_HOSTS and (DEBUG or OFFLINE):
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]

# The public address, as it stands in feeds, mails and canonical links.
SITE_URL = os.environ.get("SITE_URL", f"http://127.0.0.1:{os.environ.get('PORT', '8000')}").rstrip("/")
HTTPS = SITE_URL.startswith("https://")
# Where the newsroom looks at its own public pages: as the public does, or from inside where it cannot.
PROBE_URL = os.environ.get("NEWSROOM_PROBE_URL", SITE_URL).rstrip("/")
CSRF_FAILURE_VIEW = "newsroom.access.csrf_failure"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if HTTPS else []

INSTALLED_APPS = [
    "stories",
    "approvals",
    "newsroom",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "django_prose_editor",
    "js_asset",
    "pgtrigger",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "newsroom.middleware.PolicyMiddleware",
    "newsroom.middleware.LanguageMiddleware",
    "newsroom.access.CookieMiddleware",
    "newsroom.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "newsroom.middleware.AuthenticationMiddleware",
    "newsroom.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "newsroom.access.AccessMiddleware",
]
ROOT_URLCONF = "newsroom.urls"
WSGI_APPLICATION = "newsroom.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "newsroom.context.desk",
            ],
        },
    },
]
# crispy's error summary is overridden in templates/, so forms look there too.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# Two roles: the application's own, which cannot change a fact, and the owner, for migrations alone.
DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL", "postgres://newsroom_app@/newsroom"),
        # What a connection has planned, the functions of the guards above all, goes with it.
        conn_max_age=600,
        conn_health_checks=True,
    ),
}
if owner_url := os.environ.get("DATABASE_OWNER_URL"):
    DATABASES["owner"] = dj_database_url.parse(owner_url)
    DATABASES["default"]["TEST"] = {"MIRROR": "owner"}
for database in DATABASES.values():
    # What is to be prepared on a connection is said where it is asked: see `newsroom.asking`.
    database.setdefault("OPTIONS", {}).update(application_name="newsroom", prepare_threshold=5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "newsroom_cache"},
}

AUTH_USER_MODEL = "stories.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk"
ACCOUNT_ADAPTER = "newsroom.accounts.StaffAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_NOTIFICATIONS = False
# By address alone: a limit by name would let anybody keep the duty officer out by failing in their name.
ACCOUNT_RATE_LIMITS = {"login_failed": "20/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if flag("BEHIND_PROXY") else 0
ACCOUNT_SESSION_REMEMBER = False

LANGUAGE_CODE = "en-gb"
# What public pages speak, by its address each (see `middleware`): `stories/languages.py` names the same.
LANGUAGES = [("en-gb", "English"), ("cy", "Cymraeg")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
# The zone in which the press office lives: what times are shown in when a story says nothing else.
PRESS_OFFICE_ZONE = os.environ.get("PRESS_OFFICE_ZONE", "Europe/London")
# When nobody is at the press office, by its clocks: "22:00-06:00", or empty; and whether weekends count too.
QUIET_HOURS = hours("NEWSROOM_QUIET_HOURS", "22:00-06:00")
QUIET_WEEKENDS = flag("NEWSROOM_QUIET_WEEKENDS", "on")
# When those who get the news once a day are sent it, by the press office's clocks.
DIGEST_AT = time_of_day("NEWSROOM_DIGEST_AT", "17:00")
# Whom journalists ring, until an administrator sets it: a line each, a blank line between groups.
PRESS_CONTACTS = os.environ.get("PRESS_CONTACTS", "")
# Whom to tell of a hole in this newsroom: addresses of mail or of pages, by commas.
SECURITY_CONTACTS = [
    contact if ":" in contact else f"mailto:{contact}"
    for contact in (each.strip() for each in os.environ.get("SECURITY_CONTACTS", "").split(","))
    if contact
]
# What the newsroom is called until an administrator sets it on its own page (see `house`).
ORGANISATION = os.environ.get("ORGANISATION", "Department for Rivers and Coasts")
# For how many seconds a process goes by what it was told of the house settings last.
HOUSE_KEPT = 1

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR / "static"
# Nothing asks for a file by its unhashed name, and compressing source maps would take most of the time.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = [*Compressor.SKIP_COMPRESS_EXTENSIONS, "map"]
# Private: nothing below it is served but by a view that asks who may see it.
MEDIA_ROOT = VAR / "media"
# Whether the proxy in front sends them, where we say so: see deploy/nginx.conf.
FILES_BY_PROXY = flag("NEWSROOM_FILES_BY_PROXY")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if OFFLINE or DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# A release with a long body and its notes; a picture, and each attachment, on top.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
PICTURE_MAX_BYTES = 20 * 1024 * 1024
ATTACHMENT_MAX_BYTES = 20 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("BEHIND_PROXY") else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
# A staff session and its CSRF cookie belong to the staff side alone.
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

# Mail: to a file a message in demo mode, else by SMTP.
if email_url := os.environ.get("EMAIL_HOST"):
    EMAIL_HOST = email_url
    EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
    EMAIL_HOST_USER = os.environ.get("EMAIL_USER", "")
    EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_PASSWORD", "")
    EMAIL_USE_TLS = flag("EMAIL_TLS")
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "newsroom.mailbox.FolderBackend"
MAIL_FOLDER = VAR / "mail"
DEFAULT_FROM_EMAIL = os.environ.get("MAIL_FROM", "Newsroom <news@newsroom.example>")

# Where requests may go, to receivers and to what stories link to: to anybody's address, and to these
# networks besides; to these ports.
try:
    OUTGOING_ALLOW = tuple(
        ip_network(network.strip())
        for network in os.environ.get("NEWSROOM_OUTGOING_ALLOW", "").split(",")
        if network.strip()
    )
    OUTGOING_PORTS = ports(os.environ.get("NEWSROOM_OUTGOING_PORTS", "80,443,8080,8443"))
except ValueError as error:
    raise ImproperlyConfigured(
        "NEWSROOM_OUTGOING_ALLOW takes networks by commas (10.1.0.0/16,fd00:1::/64), "
        f"NEWSROOM_OUTGOING_PORTS takes ports and spans of them (443,8000-8100): {error}."
    ) from None

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL", "")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker never gives up on its broker.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# The schedule is in code: no file that a kill could leave broken.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL)
# What watches, and what draws, has a queue of its own, so that no announcement waits behind a link that hangs
# or a large picture. A worker that is told no queue takes from both.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name, type="direct"), routing_key=name) for name in ("celery", "watching")
]
# So does no announcement behind the mails of those who get the news once a day, or pictures that are drawn.
CELERY_TASK_ROUTES = {
    "newsroom.watch_tasks.*": {"queue": "watching"},
    "newsroom.digest_tasks.*": {"queue": "watching"},
    "stories.tasks.*": {"queue": "watching"},
}
CELERY_BEAT_SCHEDULE = {
    "look ahead": {"task": "newsroom.tasks.look_ahead", "schedule": 20.0, "options": {"expires": 20}},
    # It expires after three of its kind: a worker whose clock is ahead by five seconds would throw all away.
    "sweep": {"task": "newsroom.tasks.sweep", "schedule": 5.0, "options": {"expires": 15}},
    "remind": {"task": "approvals.tasks.remind", "schedule": 10.0, "options": {"expires": 10}},
    "draw": {"task": "stories.tasks.draw", "schedule": 15.0, "options": {"expires": 15}},
    "watch": {"task": "newsroom.watch_tasks.watch", "schedule": 5.0, "options": {"expires": 5}},
    "digests": {"task": "newsroom.digest_tasks.digests", "schedule": 20.0, "options": {"expires": 20}},
    "preflights": {"task": "newsroom.watch_tasks.preflights", "schedule": 30.0, "options": {"expires": 30}},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "filters": {"without tokens": {"()": "newsroom.logs.WithoutTokens"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without tokens"]}
    },
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        # A line for each task every few seconds would bury what matters; our own tasks say what they did.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "pikepdf": {"level": "WARNING"},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
