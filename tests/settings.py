"""The product's settings on a folder of their own, without a broker: what needs real servers starts them (tests/flows, tests/browser)."""

import os
import tempfile

DATA_DIR_OF_TESTS = tempfile.mkdtemp(prefix="yirong-tests-")
os.environ["DATA_DIR"] = DATA_DIR_OF_TESTS
os.environ["DEMO"] = "1"
os.mkdir(f"{DATA_DIR_OF_TESTS}/static")

from backend.settings import *  # noqa: E402, F403
from backend.settings import DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": f"{DATA_DIR_OF_TESTS}/tests.sqlite3"}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
CELERY_BROKER_URL = "memory://"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
