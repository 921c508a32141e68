"""Tests: like development, but without the pool (test databases are created and dropped)."""

import os

from docbook.settings.dev import *
from docbook.settings.dev import CACHES, DATABASES, REDIS_URL
from docbook.settings.environment import redis_database

DATABASES["default"]["OPTIONS"].pop("pool")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Each worker of a parallel run has its own Redis database, as in PostgreSQL.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
REDIS_URL = redis_database(REDIS_URL, 2 + _worker % 14)
for _cache in CACHES.values():
    _cache["LOCATION"] = REDIS_URL
    # On a machine that runs several suites at once, a healthy Redis may answer late.
    _cache["OPTIONS"]["SOCKET_TIMEOUT"] = 5
