"""Settings for every environment. Values that differ between machines come from the environment.

Settings of one integration are in a module of its name.
"""

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from docbook.settings.accounts import *
from docbook.settings.api import *
from docbook.settings.booking import *
from docbook.settings.browser import *
from docbook.settings.celery import *
from docbook.settings.database import *
from docbook.settings.environment import env, optional_secret, secret, secret_ring, security_mailbox
from docbook.settings.events import *
from docbook.settings.messages import *
from docbook.settings.redis import *
from docbook.settings.static import *

BASE_DIR = Path(__file__).resolve().parents[2]

# -- secrets: NAME, or NAME_FILE that holds a path. Rings: newest first; it signs, the rest verify.
SECRET_KEY = secret("SECRET_KEY")
OTP_KEYS = secret_ring("OTP_KEYS")
JWT_KEYS = secret_ring("JWT_KEYS")
SECOND_FACTOR_KEYS = secret_ring("SECOND_FACTOR_KEYS")
# Callers that send it may read /metrics. Without a token nobody may.
METRICS_TOKEN = optional_secret("METRICS_TOKEN")

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The beginning of links in mails. A Host header must never decide it.
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
# Where to report vulnerabilities, as /.well-known/security.txt says: mailto: or https://.
SECURITY_CONTACT = env.str("SECURITY_CONTACT", default="") or security_mailbox(SITE_URL)
# How many proxies stand in front. That many entries of X-Forwarded-For are believed, from the
# right.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

INSTALLED_APPS = [
    "accounts",
    "doctors",
    "bookings",
    "docbook.http",
    "docbook.outbox",
    "docbook.audit",
    "docbook.observability",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "docbook.http.apps.StaticFilesConfig",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "rest_framework",
]

MIDDLEWARE = [
    "docbook.observability.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "docbook.http.middleware.OwnResourcesMiddleware",
    "docbook.http.middleware.KeptPolicyMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # so static files carry all the headers above
    "docbook.http.compression.CompressedPagesMiddleware",
    "docbook.http.middleware.RequestGuardMiddleware",
    "docbook.http.health.HealthMiddleware",  # before anything that checks the host
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "docbook.http.middleware.PrivatePagesMiddleware",
    "docbook.http.middleware.ApiMiddleware",  # what follows is for pages
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.practice_sessions.PracticeSessionMiddleware",
    "accounts.middleware.AccountSessionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "docbook.http.middleware.PageErrorMiddleware",
    # has more to say about a refusal than the general page
    "accounts.middleware.AccountLimitsMiddleware",
]

ROOT_URLCONF = "docbook.urls"
WSGI_APPLICATION = "docbook.wsgi.application"

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
                "doctors.context_processors.navigation",
                "bookings.context_processors.booking",
            ],
        },
    }
]

FORM_RENDERER = "docbook.http.form_renderer.FormRenderer"

# -- words and times
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["docbook.formats"]

# Whether seed_demo may fill the database: everybody knows the password of the demo's admin.
DEMO_DATA = False

LOGGING_CONFIG = None  # docbook.observability.logs configures it, for Django and Celery alike
