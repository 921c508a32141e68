"""Development: everything on this machine, public secrets, and real mail into a local sink."""

import os

# Everybody knows these, so docbook.settings.prod refuses them.
os.environ.setdefault("SECRET_KEY", "development-only-secret-key-development-only-secret-key")
os.environ.setdefault("OTP_KEYS", "development-only-otp-key-development-only-otp-key")
os.environ.setdefault("JWT_KEYS", "development-only-jwt-key-development-only-jwt-key")
os.environ.setdefault("SECOND_FACTOR_KEYS", "development-only-second-factor-key-development-only")
os.environ.setdefault("METRICS_TOKEN", "development-only-metrics-token")
os.environ.setdefault("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/docbook")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/0")
os.environ.setdefault("EMAIL_URL", "smtp://127.0.0.1:1025")
# reminders for a thousand doctors' patients would fill the inbox
os.environ.setdefault("REMINDER_HOURS", "")
# into the inbox, as mail to NUMBER@ this host
os.environ.setdefault("SMS_URL", "mail://sms.docbook.test")

from docbook.settings.base import *
from docbook.settings.base import BASE_DIR, INSTALLED_APPS, STORAGES
from docbook.settings.environment import env

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
# One load generator on this machine may use many addresses; the limits stay on.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=1)
ROOT_URLCONF = "devstack.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "devstack"]
DEV_MAILDIR = env.path("DEV_MAILDIR", default=str(BASE_DIR / ".dev" / "mail"))
# Where `make run` has collected static files. Without it they come straight from where they are
# written, and a changed stylesheet shows at the next reload.
STATIC_ROOT = env.str("STATIC_ROOT", default="") or None
if STATIC_ROOT is None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    STORAGES = {**STORAGES, "staticfiles": plain}
    WHITENOISE_USE_FINDERS = True
    WHITENOISE_AUTOREFRESH = True
DEMO_DATA = True
# Calendars elsewhere may be served by this machine.
OUTSIDE_ON_LOOPBACK = True
