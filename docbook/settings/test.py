"""Tests: as development, without the pool (test databases are created and dropped)."""

from docbook.settings.dev import *
from docbook.settings.dev import DATABASES

DATABASES["default"]["OPTIONS"].pop("pool")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
