"""Settings of the test run; everything else is as the site has it."""

import os
import tempfile
from pathlib import Path

from config.settings import *  # noqa: F403
from config.settings import DATABASES, STORAGES

# Several people may test one checkout at once: each has a database of their own.
_suffix = os.environ.get("PYTEST_DB_SUFFIX", "")

DATABASES["default"]["TEST"] = {
    "NAME": f"test_loyalty_{_suffix}" if _suffix else "test_loyalty"
}
# Races are run with more threads than a web process has.
DATABASES["default"]["OPTIONS"]["pool"]["max_size"] = 70
# The data is thrown away, so a crash may take it.
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"

# The browser's driver runs an event loop in the thread that tests use.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CELERY_BROKER_URL = "memory://"
METRICS_FOLDER = Path(tempfile.mkdtemp(prefix="loyalty-metrics-"))
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_FOLDER)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
MEDIA_ROOT = Path(tempfile.mkdtemp(prefix="loyalty-tests-"))
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
# Thousands of tests call from one address, many without a key.
API_FAILED_SIGN_INS_PER_MINUTE = 1_000_000
# Looking through every static file takes 50 ms, and each test has clients of its own.
WHITENOISE_USE_FINDERS = False
