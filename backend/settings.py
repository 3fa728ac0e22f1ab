"""All settings. Every variable has a default that works on a bare machine; docs/operators/settings.md lists them."""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import django_stubs_ext
import environ
import structlog
from kombu import Queue
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

# ModelAdmin[Alert] and the like are types that Django does not make subscriptable by itself.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")


def _kept_secret(name: str) -> str:
    """A secret made at first use and kept in DATA_DIR/keys (mode 0600)."""
    path = DATA_DIR / "keys" / name
    if not path.exists():
        for folder in (DATA_DIR, path.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()


SECRET_KEY = env.str("SECRET_KEY", default="") or _kept_secret("django")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"] + (["*"] if DEMO else [])
)
CSRF_FAILURE_VIEW = "backend.core.middleware.page_expired"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# how many proxies stand in front and add to X-Forwarded-For; 0: the address of the connection counts
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_htmx",
    "django_structlog",
    "backend.core",
    "backend.parties",
    "backend.evidence",
    "backend.trade",
    "backend.risk",
    "backend.console",
]

MIDDLEWARE = [
    "backend.core.middleware.bounded_body",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "backend.core.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "backend.urls"
ASGI_APPLICATION = "backend.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ]
        },
    }
]

# SQLite: a write transaction takes its lock at once (IMMEDIATE), and a commit is on the disk (FULL): with less, a power cut would leave the
# database behind the tiles. PostgreSQL: a pool of connections, commits on the disk.
DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/yirong.sqlite3")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["ENGINE"] = "backend.core.sqlite3"
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": 20, "timeout": 20},
        "options": "-c synchronous_commit=on",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# One Redis or Valkey: broker in database 0, channel layer in 1, cache in 2.
REDIS_URL = env.str("REDIS_URL", default=f"unix://{DATA_DIR}/run/valkey.sock")


def _redis(number: int) -> str:
    if REDIS_URL.startswith("unix://"):
        return f"{REDIS_URL.partition('?')[0]}?db={number}"
    parts = urlsplit(REDIS_URL)
    return parts._replace(path=f"/{number}").geturl()


CELERY_BROKER_URL = (
    f"redis+socket://{quote(REDIS_URL.removeprefix('unix://').partition('?')[0])}?virtual_host=0"
    if REDIS_URL.startswith("unix://")
    else _redis(0)
)
# A wake-up that finds no broker is given up at once: the commit that asks for it does not wait. The worker's own connection retries.
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0, "socket_connect_timeout": 1}
CELERY_TASK_IGNORE_RESULT = True
# What keeps no results is made once, not anew in the thread of each request that wakes the worker.
CELERY_RESULT_BACKEND_THREAD_SAFE = True
# Every task is a wake-up that beat repeats, so none is worth keeping for a lost worker. And a worker that holds what it must give back when
# the connection breaks (kombu 5.7 on Redis) dies of that instead of connecting again.
CELERY_TASK_QUEUES = [Queue("default", no_ack=True), Queue("anchoring", no_ack=True)]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat")
CELERY_BEAT_SCHEDULE = {
    "advance": {"task": "core.advance", "schedule": 2.0, "options": {"expires": 2}},
    "ledger check": {"task": "evidence.check_ledger", "schedule": 10.0, "options": {"expires": 10}},
    "leftover uploads": {"task": "evidence.collect_leftovers", "schedule": 3600.0, "options": {"expires": 3600}},
    "stored answers": {"task": "core.forget_answers", "schedule": 3600.0, "options": {"expires": 3600}},
    "sign-in refusals": {"task": "parties.anchor_refusals", "schedule": 60.0, "options": {"expires": 60}},
}
# A push is one PUBLISH that waits for nobody: whoever is not there fetches by the API. (The layer that keeps messages costs several commands a
# listener.) A connection that its server closed is found out by the first command on it, which is then sent again on a new one.
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": _redis(1), "retry": Retry(NoBackoff(), 1)}]},
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _redis(2),
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

AUTH_USER_MODEL = "parties.Person"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/console/sign-in/"
LOGIN_REDIRECT_URL = "/console/"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
# behind TLS: cookies go over TLS alone
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=False)
SESSION_COOKIE_SAMESITE = "Lax"
# the token table is this house's own: knox's would only keep a foreign key to people
MIGRATION_MODULES = {"knox": None}
KNOX_TOKEN_MODEL = "parties.Session"  # noqa: S105 - a model's name
REST_KNOX = {"TOKEN_TTL": timedelta(days=7), "AUTH_HEADER_PREFIX": "Token"}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "backend.parties.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["backend.core.parsing.PlainJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "backend.core.paging.CursorPage",
    "DEFAULT_SCHEMA_CLASS": "backend.core.schema.ProblemSchema",
    "EXCEPTION_HANDLER": "backend.core.problems.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
}
DRF_STANDARDIZED_ERRORS = {"EXCEPTION_FORMATTER_CLASS": "backend.core.problems.ProblemFormatter"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Yirong Chain 翼融链",
    "DESCRIPTION": "Open supply-chain finance: orders, deliveries and receipts signed on phones, anchored in a ledger, watched for risk.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "UploadState": "backend.evidence.models.Upload.State",
        "VoucherKind": "backend.evidence.models.VoucherKind",
        "AnchorState": ["waiting", "on_chain", "anchored"],
        "AmendmentKind": "backend.trade.models.AmendmentKind",
        "AmendmentState": "backend.trade.models.AmendmentState",
        "ProductionState": "backend.trade.models.ProductionState",
        "OrderState": "backend.trade.models.OrderState",
        "DespatchState": "backend.trade.models.DespatchState",
        "ReceiptState": "backend.trade.models.ReceiptState",
        "AlertState": "backend.risk.models.AlertState",
        "VerdictState": ["sound", "waiting", "broken"],
        "OrganisationKind": "backend.parties.models.OrganisationKind",
        "InvitationState": ["open", "accepted", "withdrawn", "guessed", "expired"],
        "DelegationState": ["holds", "later", "over", "revoked"],
    },
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "backend" / "console" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MANIFEST_STRICT = False
PHONE_BUILD = BASE_DIR / "miniprogram" / "dist" / "build" / "h5"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LEDGER_DIR = DATA_DIR / "ledger"
LEDGER_ORIGIN = env.str("LEDGER_ORIGIN", default="")

WECHAT_BASE_URL = env.str("WECHAT_BASE_URL", default="https://api.weixin.qq.com")
WECHAT_APPID = env.str("WECHAT_APPID", default="")
WECHAT_SECRET = env.str("WECHAT_SECRET", default="")

# parties.origins says whose address it is; the library would take any header's word.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

_shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            "foreign_pre_chain": _shared_processors,
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "uvicorn.access": {"level": "WARNING"},
    },
}
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_shared_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
