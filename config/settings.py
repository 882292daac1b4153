"""Settings of the project: the only file that reads the environment.

Two ways to run. *Local*: plain HTTP, for this machine only; without
``DATABASE_URL`` (then on the private PostgreSQL), or with ``DEBUG`` or ``LOCAL``.
*Production*: ``DATABASE_URL`` and neither of the two; what is then required is
marked below and refused by name, all in one error.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from kombu import Exchange, Queue
from sqlalchemy.pool import NullPool

from config import private_postgres, private_valkey, unfold
from config.api import API_DESCRIPTION
from config.environment import (
    NO_WORDS,
    Environment,
    broker,
    cache,
    listed,
    log_level,
    origins,
    postgresql,
    secret,
    sql_broker,
    time_limits_of,
    truth,
    whole_number,
)
from config.logs import logging_of

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Environment ------------------------------------------------------------

_environment = Environment(os.environ)

# PostgreSQL 15 or newer: postgresql://user:password@host:5432/name.
# Unset: the private PostgreSQL in .data/postgres.
USES_PRIVATE_POSTGRES = not _environment.has("DATABASE_URL")
_local_database = postgresql(private_postgres.url())
_database = _environment.read("DATABASE_URL", postgresql, _local_database)
# Connections kept open per process, at most.
_pool_connections_max = _environment.read(
    "DATABASE_POOL_SIZE", whole_number(1, 500), 10
)

# True for a pooler that gives each transaction another connection, such as pgbouncer.
_is_behind_pooler = _environment.read("DATABASE_BEHIND_POOLER", truth, default=False)

DEBUG = _environment.read("DEBUG", truth, default=False)
# True for a site that only its own machine reaches, whichever database it uses.
_is_local = _environment.read("LOCAL", truth, default=USES_PRIVATE_POSTGRES)
IS_PRODUCTION = not (USES_PRIVATE_POSTGRES or _is_local or DEBUG)

# Required in production: 50 random characters or more.
SECRET_KEY = _environment.read(
    "SECRET_KEY", secret, "only-for-a-site-that-nobody-but-its-developer-can-reach"
)
# Required in production: host names, comma-separated.
ALLOWED_HOSTS = _environment.read(
    "ALLOWED_HOSTS", listed, ["localhost", "127.0.0.1", "[::1]"]
)
# Origins with scheme, comma-separated; for a proxy that changes the host name.
CSRF_TRUSTED_ORIGINS = _environment.read("CSRF_TRUSTED_ORIGINS", origins, NO_WORDS)
# True when a proxy in front sets X-Forwarded-Proto and removes it from clients, and
# adds the address of who called it to the end of X-Forwarded-For.
_is_behind_proxy = _environment.read("BEHIND_TLS_PROXY", truth, default=False)
# Seconds for which browsers insist on TLS.
_hsts_seconds = _environment.read(
    "HSTS_SECONDS", whole_number(0, 63_072_000), 31_536_000
)

# Required in production: amqp://, redis:// or sqla+postgresql://. Unset: the private
# Valkey in .data/valkey; where there is none for the machine, the database.
BROKER_SCHEMA = "celery_broker"
USES_PRIVATE_BROKER = (
    not _environment.has("CELERY_BROKER_URL") and private_valkey.is_available()
)
_database_broker = (
    sql_broker(private_postgres.url(private_postgres.BROKER_DATABASE))
    if USES_PRIVATE_POSTGRES
    else sql_broker(os.environ["DATABASE_URL"], BROKER_SCHEMA)
)
CELERY_BROKER_URL = _environment.read(
    "CELERY_BROKER_URL",
    broker,
    private_valkey.broker_url() if USES_PRIVATE_BROKER else _database_broker,
)
# Required in production, because rate limits count in it: redis://host:6379/1.
# Unset: the private Valkey, or each process by itself.
USES_PRIVATE_CACHE = not _environment.has("CACHE_URL") and private_valkey.is_available()
_local_cache = (
    {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": private_valkey.cache_url(),
    }
    if USES_PRIVATE_CACHE
    else cache("locmemcache://")
)
_cache: dict[str, Any] = _environment.read("CACHE_URL", cache, _local_cache)
USES_PRIVATE_VALKEY = USES_PRIVATE_BROKER or USES_PRIVATE_CACHE
# What starts the project's own servers unless they run, by their names.
PRIVATE_SERVERS: dict[str, Callable[[], bool]] = {
    **({"database": private_postgres.ensure_running} if USES_PRIVATE_POSTGRES else {}),
    **({"broker": private_valkey.ensure_running} if USES_PRIVATE_VALKEY else {}),
}
# Sites of one checkout on different databases share the private Valkey: each has
# keys of its own in it.
_site_key = hashlib.sha256(repr(sorted(_database.items())).encode()).hexdigest()[:12]

# What `manage.py serve` listens on; all of BIND_ADDRESS when it is 0.0.0.0.
BIND_ADDRESS = _environment.read("BIND_ADDRESS", str, "127.0.0.1")
PORT = _environment.read("PORT", whole_number(1, 65_535), 8000)
# Threads of a web process that answer; bodies arrive without one.
WEB_THREADS = _environment.read("WEB_THREADS", whole_number(1, 64), 4)
# Processes that do background work; each needs up to 400 MB.
CELERY_WORKER_CONCURRENCY = _environment.read(
    "WORKER_PROCESSES", whole_number(1, 500), min(os.cpu_count() or 1, 8)
)

# Megabytes at which a process of a worker is refused more; its job says so then.
_worker_megabytes_max = _environment.read(
    "WORKER_MEMORY_MB", whole_number(500, 1_000_000), 2_000
)

# Folders. Uploaded files hold customers' data: only IMAGE_FOLDER is served.
_data_folder = _environment.read("DATA_FOLDER", Path, BASE_DIR / ".data")
LOG_LEVEL = _environment.read("LOG_LEVEL", log_level, "INFO")
# Requests per minute and API key.
API_REQUESTS_PER_MINUTE = _environment.read(
    "API_REQUESTS_PER_MINUTE", whole_number(1, 10_000_000), 60_000
)
# Calls with wrong credentials per minute and address.
API_FAILED_SIGN_INS_PER_MINUTE = _environment.read(
    "API_FAILED_SIGN_INS_PER_MINUTE", whole_number(1, 10_000_000), 60
)
# What Prometheus sends as “Authorization: Bearer …”. Unset: /metrics answers on sites
# that only their own machine reaches, and nowhere else.
METRICS_TOKEN = _environment.read("METRICS_TOKEN", str, "")
# Where the processes of this machine keep their counts; emptied by `manage.py serve`.
METRICS_FOLDER = _environment.read(
    "METRICS_FOLDER",
    Path,
    Path(tempfile.gettempdir())
    / f"loyalty-metrics-{hashlib.sha256(str(BASE_DIR).encode()).hexdigest()[:12]}",
)
METRICS_FOLDER.mkdir(parents=True, exist_ok=True)
# The client library reads it when it is imported.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_FOLDER)

if IS_PRODUCTION:
    _environment.require("SECRET_KEY", "ALLOWED_HOSTS", "CELERY_BROKER_URL")
    _environment.require("CACHE_URL")
_environment.refuse_problems()

# --- Applications -----------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_celery_beat",
    "django_filters",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "rest_framework",
    "rest_framework_api_key",
    "loyalty",
    "campaigns",
    "activities",
]

MIDDLEWARE = [
    "loyalty.api.health.Health",
    *(["loyalty.api.client_address.ClientAddress"] if _is_behind_proxy else []),
    # First of all, so that nothing below sees a key in an address.
    "loyalty.api.query_keys.QueryKeys",
    "django.middleware.security.SecurityMiddleware",
    # Answers /api/ itself: nothing below this line runs for it.
    "loyalty.api.edge.ApiEdge",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "loyalty.admin.middleware.AdminMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

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

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

UNFOLD = unfold.UNFOLD

# --- Database, cache, files -------------------------------------------------

# Seconds for one statement, for a lock, and for a transaction that does nothing. A
# pooler takes no options from its clients: there the role of the database has them.
_statement, _lock, _idle = time_limits_of(sys.argv)
_options_so_far = _database.get("OPTIONS", {}).get("options", "")
_time_limits = (
    {}
    if _is_behind_pooler
    else {
        "options": f"-c statement_timeout={_statement}s -c lock_timeout={_lock}s"
        f" -c idle_in_transaction_session_timeout={_idle}s {_options_so_far}".strip()
    }
)

DATABASES = {
    "default": {
        **_database,
        # The pool needs it: a connection goes back after each request.
        "CONN_MAX_AGE": 0,
        "DISABLE_SERVER_SIDE_CURSORS": _is_behind_pooler,
        "OPTIONS": {
            **_database.get("OPTIONS", {}),
            **_time_limits,
            # None is held for ever: other processes may need it more.
            "pool": {
                "min_size": 0,
                "max_size": _pool_connections_max,
                "timeout": 5,
                "max_idle": 60,
            },
        },
    }
}
# A cache that is down must not hold up whoever asks it.
_cache_options: dict[str, Any] = (
    {"socket_connect_timeout": 2, "socket_timeout": 2}
    if "redis" in _cache["BACKEND"].lower()
    else {}
)
_cache_options.update(_cache.get("OPTIONS", {}))
CACHES = {
    "default": {
        **_cache,
        "KEY_PREFIX": _cache.get("KEY_PREFIX")
        or (_site_key if USES_PRIVATE_CACHE else ""),
        "OPTIONS": _cache_options,
    }
}

# 10 MB, for JSON bodies too. Files are streamed to disk and not limited by it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# Files of activities: as they arrive, and what packed ones may unpack to.
UPLOAD_BYTES_MAX = 10 * 1024**3
UPLOAD_UNPACKED_BYTES_MAX = 50 * 1024**3
UPLOAD_UNPACKED_RATIO_MAX = 200

MEDIA_ROOT = _data_folder / "media"
MEDIA_URL = "media/"
IMAGE_FOLDER = "images"
# Elsewhere files are served from where they are written.
STATIC_ROOT = _data_folder / "static" if IS_PRODUCTION else None
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").exists() else []
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "loyalty.services.storage.WholeFiles"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG

# --- Language and time ------------------------------------------------------

LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = ["config.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # of the server; each program has its own

# --- Safety -----------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
# Each by itself: many names from one address, and one name from many addresses.
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_HSTS_SECONDS = _hsts_seconds if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PRODUCTION
SECURE_HSTS_PRELOAD = IS_PRODUCTION
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if _is_behind_proxy else None
)
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = IS_PRODUCTION
CSRF_COOKIE_SECURE = IS_PRODUCTION
X_FRAME_OPTIONS = "DENY"

# The admin's Alpine evaluates expressions and sets styles in attributes.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "https:"],
        "font-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- API --------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "loyalty.api.contract_schema.SiteSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNICODE_JSON": True,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Loyalty",
    "DESCRIPTION": API_DESCRIPTION,
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_URLCONF": "config.urls",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "WeekdayEnum": "loyalty.models.Weekday",
        "QuestStatusEnum": "campaigns.models.QuestStatus",
        "UploadStatusEnum": "activities.models.UploadStatus",
        "VoucherStatusEnum": "loyalty.models.VoucherStatus",
        "CodeJobStatusEnum": "loyalty.models.CodeJobStatus",
        "VoucherKindEnum": "loyalty.models.VoucherKind",
        "BacktestStatusEnum": "activities.models.BacktestStatus",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "loyalty.api.schema.add_problems",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Background work --------------------------------------------------------

USES_SQL_BROKER = CELERY_BROKER_URL.startswith("sqla+")

_transport_options: dict[str, Any] = {}
if USES_SQL_BROKER:
    # A connection that is kept would be shared with the processes that fork later.
    _transport_options = {"poolclass": NullPool}
elif CELERY_BROKER_URL.startswith(("redis", "sentinel")):
    _transport_options = {"socket_connect_timeout": 5, "socket_keepalive": True}
if USES_PRIVATE_BROKER:
    _transport_options["global_keyprefix"] = f"{_site_key}:"
CELERY_BROKER_TRANSPORT_OPTIONS = _transport_options
# Lost for minutes or hours, it is found again.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None

# Regular work and what people wait for; files of activities; what reads for long. A
# worker that is told no queue takes from all of them.
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name)
    for name in (CELERY_TASK_DEFAULT_QUEUE, "uploads", "backtests")
]
CELERY_TASK_ROUTES = {
    **{
        f"activities.tasks.{name}_upload": {"queue": "uploads"}
        for name in ("validate", "run", "undo", "clear")
    },
    "activities.tasks.run_backtest": {"queue": "backtests"},
}

CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
# No soft limit: a task that names a shorter time_limit could not be sent with it.
CELERY_TASK_TIME_LIMIT = 20 * 60  # seconds
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # kilobytes, looked at between tasks
# What one process of a worker may hold at most, within a task.
WORKER_MEMORY_BYTES_MAX = _worker_megabytes_max * 1024 * 1024
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# The SQL transport cannot broadcast, and remote control is a broadcast.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not USES_SQL_BROKER
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds
# Name -> task, schedule (seconds or crontab). Copied to the admin at start.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "expire points": {"task": "loyalty.tasks.expire_points", "schedule": 600},
    "release points": {"task": "loyalty.tasks.release_points", "schedule": 600},
    "expire vouchers": {"task": "loyalty.tasks.expire_vouchers", "schedule": 600},
    "sweep voucher codes": {"task": "loyalty.tasks.sweep_code_jobs", "schedule": 60},
    "forget sessions": {"task": "loyalty.tasks.forget_sessions", "schedule": 3600},
    "forget logins": {"task": "activities.tasks.forget_logins", "schedule": 3600},
    "sweep uploads": {"task": "activities.tasks.sweep_uploads", "schedule": 15},
    "sweep backtests": {"task": "activities.tasks.sweep_backtests", "schedule": 15},
    "refresh segments": {"task": "activities.tasks.refresh_segments", "schedule": 900},
    "settle identities": {
        "task": "loyalty.tasks.settle_identities",
        "schedule": crontab(hour="3", minute="41"),
    },
    "check ledger": {
        "task": "activities.tasks.check_ledger",
        "schedule": crontab(hour="2", minute="17"),
    },
    "recheck members": {"task": "activities.tasks.recheck_members", "schedule": 5},
}

# --- Logs -------------------------------------------------------------------

LOGGING = logging_of(LOG_LEVEL, as_json=IS_PRODUCTION)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
