"""All settings; `.env.example` documents those that come from the environment."""

import sys
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from grabpic_site import logs
from grabpic_site.secret_key import read_or_create_secret_key

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"


class Env(environ.Env):  # type: ignore[misc]  # untyped
    """Names the variable that cannot be read, in place of a traceback about a number."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, *args, **kwargs)
        except (ValueError, KeyError) as error:
            raise ImproperlyConfigured(f"{var}={self.ENVIRON.get(var)!r} cannot be used; see .env.example.") from error


env = Env()
env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or read_or_create_secret_key(VAR_DIR / "secret-key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CSRF_FAILURE_VIEW = "events.errors.csrf_failure"

# True behind a reverse proxy that speaks HTTPS to the visitors and sets X-Forwarded-Proto itself.
HTTPS = env.bool("HTTPS", default=False)
THIS_MACHINE = {"localhost", "127.0.0.1", "[::1]", ".localhost"}
if not env.str("HTTPS", default="") and not DEBUG and not THIS_MACHINE.issuperset(ALLOWED_HOSTS):
    # So that nobody forgets it: without, sessions and photos can be read on the way.
    raise ImproperlyConfigured(
        "HTTPS is not set, but ALLOWED_HOSTS names more than this machine. Set HTTPS=true behind a proxy that speaks "
        "HTTPS, or HTTPS=false where visitors come without."
    )
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
# Scripts read the token anew where somebody has logged in again in another tab (static/api.js).
CSRF_COOKIE_HTTPONLY = False
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# Whoever watches the process asks it directly.
SECURE_REDIRECT_EXEMPT = [r"^api/v1/health"]
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    # HSTS binds the browsers of others for a year. It is not ours to say that every other name below the site's own
    # speaks HTTPS, too, or that browsers are to be delivered with that; the proxy may.
    "security.W005",
    "security.W021",
]

# What pages may load and do: nothing but our own files. Nothing inline, so what a stranger writes never runs.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        # The nonce is there where a page asks for it: ReDoc's alone.
        "style-src": [SELF, NONCE],
        # blob: the selfies that a visitor has taken, before they are sent.
        "img-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "procrastinate.contrib.django",
    "csp",
    "grabpic_site",
    "events",
    "faces",
    "benchmarks",
    "demo",
]

MIDDLEWARE = [
    "grabpic_site.request_log.RequestLogMiddleware",
    "grabpic_site.headers.HeadersMiddleware",
    "grabpic_site.headers.PolicyMiddleware",
    "events.middleware.LengthRequiredMiddleware",
    "events.middleware.FormsInUtf8Middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "grabpic_site.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "events.middleware.TooManyRequestsMiddleware",
]

ROOT_URLCONF = "grabpic_site.urls"
WSGI_APPLICATION = "grabpic_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Without DATABASE_URL, everything in this checkout shares one PostgreSQL of its own.
EMBEDDED_POSTGRES_DIR = BASE_DIR / env.str("EMBEDDED_POSTGRES_DIR", default="var/postgres")
DATABASES = {
    "default": env.db_url("DATABASE_URL")
    if env.str("DATABASE_URL", default="")
    else {"ENGINE": "grabpic_site.embedded_postgres", "NAME": "grabpic"}
}
if "NAME" not in DATABASES["default"]:
    raise ImproperlyConfigured("DATABASE_URL names no database: postgresql://user:password@host:5432/grabpic")
DATABASES["default"]["NAME"] = env.str("GRABPIC_DATABASE_NAME", default="") or DATABASES["default"]["NAME"]
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"

# English is the source; pages for staff, the API and the commands are in English only (see grabpic_site/languages.py).
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "grabpic_site.formats"
LANGUAGE_COOKIE_AGE = 31_536_000  # seconds: a year
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Serves straight from the apps' static folders, so that a checkout runs without `collectstatic`.
WHITENOISE_USE_FINDERS = True

# The classic storage folder: photos dropped here are found by `manage.py ingest`. What Grabpic itself keeps goes
# to a folder of a name that no event's slug can have.
STORAGE_PATH = Path(env.str("STORAGE_PATH", default="./storage"))
STORAGE_PATH = STORAGE_PATH if STORAGE_PATH.is_absolute() else BASE_DIR / STORAGE_PATH
S3_BUCKET = env.str("S3_BUCKET", default="")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", default="")
S3_REGION = env.str("S3_REGION", default="")
# Photos that need no drawing leave by a shorter way than through this process, once it has checked who asks: by the
# proxy, from a place of its own for the local storage, or from the bucket.
ACCEL_REDIRECT = env.str("ACCEL_REDIRECT", default="")
S3_SIGNED_URLS = env.bool("S3_SIGNED_URLS", default=False)
LOCAL_STORAGE = {
    "BACKEND": "events.storage.LocalStorage",
    "OPTIONS": {"location": STORAGE_PATH / ".grabpic"},
}
S3_STORAGE = {
    "BACKEND": "events.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": S3_ENDPOINT_URL or None,
        "region_name": S3_REGION or None,
    },
}
STORAGES = {
    "default": S3_STORAGE if S3_BUCKET else LOCAL_STORAGE,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Photos and selfies
MAX_UPLOAD_MB = env.int("MAX_UPLOAD_MB", default=100)
MAX_SELFIE_MB = env.int("MAX_SELFIE_MB", default=20)
MAX_MEGAPIXELS = env.int("MAX_MEGAPIXELS", default=120)
MAX_SELFIE_MEGAPIXELS = env.int("MAX_SELFIE_MEGAPIXELS", default=64)
FILE_UPLOAD_HANDLERS = [
    "events.parts.NoFileIsLost",
    "events.uploads.StrangersBringLittle",
    "events.uploads.SelfiesInMemory",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "events.uploads.InUnnamedFiles",
]
DATA_UPLOAD_MAX_NUMBER_FILES = env.int("MAX_FILES_PER_UPLOAD", default=200)
# A gallery's form has a field for each chosen photo: more than Django's 1,000 for somebody who is in many.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# How often somebody may ask, and who that is; see events/limits.py and events/addresses.py.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
LIMITS = {
    "requests": env.str("LIMIT_REQUESTS", default="3000/minute"),
    "selfies": env.str("LIMIT_SELFIES", default="240/minute"),
    "codes": env.str("LIMIT_CODES", default="60/hour"),
    "logins": env.str("LIMIT_LOGINS", default="20/hour"),
    "credentials": env.str("LIMIT_CREDENTIALS", default="60/hour"),
}
# Fewer than gunicorn's threads.
DOWNLOADS_AT_ONCE = env.int("DOWNLOADS_AT_ONCE", default=4)

# How long the API's ingest waits for the workers before it answers that they are not done.
INGEST_WAIT_SECONDS = env.float("INGEST_WAIT_SECONDS", default=25)

# Only to try them out: webhooks may be sent to http:// and to machines of the own network.
WEBHOOKS_TO_PRIVATE_ADDRESSES = env.bool("WEBHOOKS_TO_PRIVATE_ADDRESSES", default=False)

# Faces
FACE_ENGINE = env.str("FACE_ENGINE", default="facenet+sface")
SIMILARITY_THRESHOLD = env.float("SIMILARITY_THRESHOLD", default=None)
GALLERY_TOKEN_HOURS = env.int("GALLERY_TOKEN_HOURS", default=72)
RETENTION_DAYS = env.int("RETENTION_DAYS", default=365)
AUDIT_DAYS = env.int("AUDIT_DAYS", default=730)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "events.authentication.ApiKeyAuthentication",
        "events.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["events.authentication.Allowed"],
    "DEFAULT_THROTTLE_CLASSES": ["events.limits.Limits"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "events.schema.Schema",
    "EXCEPTION_HANDLER": "events.errors.handle_api_exception",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Grabpic",
    "DESCRIPTION": "Find every photo you are in, with a selfie.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "events.schema.add_errors"],
}

# A program reads what the site writes, unless somebody is looking on.
LOG_FORMAT = env.str("LOG_FORMAT", default="") or ("text" if DEBUG or sys.stderr.isatty() else "json")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
for name, value, known in (("LOG_FORMAT", LOG_FORMAT, logs.FORMATTERS), ("LOG_LEVEL", LOG_LEVEL, logs.LEVELS)):
    if value not in known:
        raise ImproperlyConfigured(f"{name}={value!r} cannot be used; there are: {', '.join(known)}.")
LOGGING = logs.configuration(LOG_LEVEL, LOG_FORMAT)
DEFAULT_EXCEPTION_REPORTER = "grabpic_site.error_reports.DiscreetReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "grabpic_site.error_reports.DiscreetFilter"
