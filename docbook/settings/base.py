"""Settings that hold everywhere. Whatever differs between machines comes from the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from docbook.http.static_headers import open_to_mail
from docbook.settings.environment import (
    code_channel,
    hours,
    optional_secret,
    redis_database,
    reminder_hours,
    secret,
    secret_ring,
    security_mailbox,
    sms_url,
    with_password,
)

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

# -- secrets: NAME, or NAME_FILE that holds a path. Rings: newest first; it signs, the rest verify.
SECRET_KEY = secret("SECRET_KEY")
OTP_KEYS = secret_ring("OTP_KEYS")
JWT_KEYS = secret_ring("JWT_KEYS")
SECOND_FACTOR_KEYS = secret_ring("SECOND_FACTOR_KEYS")
# Callers that send it may read /metrics; without one nobody may.
METRICS_TOKEN = optional_secret("METRICS_TOKEN")

DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# What links in mails begin with; a Host header must never decide that.
SITE_URL = env.str("SITE_URL", default="http://localhost:8000").rstrip("/")
# Where weaknesses are reported, as /.well-known/security.txt says: mailto: or https://.
SECURITY_CONTACT = env.str("SECURITY_CONTACT", default="") or security_mailbox(SITE_URL)
# How many proxies stand in front: that many entries of X-Forwarded-For are believed, from right.
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
    "django.contrib.staticfiles",
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
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # static files carry all of the headers above
    "docbook.http.middleware.RequestGuardMiddleware",
    "docbook.http.health.HealthMiddleware",  # before anything that asks for the host
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.practice_sessions.PracticeSessionMiddleware",
    "accounts.middleware.AccountSessionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "docbook.http.middleware.PageErrorMiddleware",
    "docbook.http.middleware.PrivatePagesMiddleware",
    "accounts.middleware.AccountLimitsMiddleware",  # says more of a refusal than the pages do
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

# -- data
_STATEMENT_TIMEOUT_MS = env.int("DATABASE_STATEMENT_TIMEOUT_MS", default=5000)
DATABASES = {"default": env.db("DATABASE_URL")}
# A password of its own needs no percent-encoding, and may lie in a file.
if _password := optional_secret("DATABASE_PASSWORD"):
    DATABASES["default"]["PASSWORD"] = _password
DATABASES["default"] |= {
    "ENGINE": "django.db.backends.postgresql",
    # The default wait of 30 s for a connection would hide a dead database.
    "OPTIONS": {
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", default=16),
            "timeout": 5,
        },
        "connect_timeout": 5,
        # Values stay out of the statement: a server writes a statement that fails into its log.
        "server_side_binding": True,
        # Time-outs nest: lock 2 s < statement 5 s < proxy 10 s < client 15 s.
        # A client that goes silent in a transaction loses it, with the Idempotency-Key it holds.
        "options": (
            f"-c lock_timeout=2000 -c statement_timeout={_STATEMENT_TIMEOUT_MS}"
            " -c idle_in_transaction_session_timeout=60s -c tcp_user_timeout=60s"
        ),
    },
    # A pooled connection is asked before it is used: after a restart of the database all are dead.
    "CONN_HEALTH_CHECKS": True,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = with_password(env.str("REDIS_URL"), optional_secret("REDIS_PASSWORD"))
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_TIMEOUT": 0.2,
            "SOCKET_CONNECT_TIMEOUT": 0.2,
        },
    }
}
# The same server, for counting: failures are told, so that docbook.redis can leave it alone.
CACHES["limits"] = CACHES["default"] | {
    "BACKEND": "docbook.http.limits_cache.LimitsCache",
    "OPTIONS": CACHES["default"]["OPTIONS"] | {"IGNORE_EXCEPTIONS": False},
}
# django-ratelimit; its rates are in docbook.http.rate_policies.
RATELIMIT_USE_CACHE = "limits"
RATELIMIT_HASH_ALGORITHM = "docbook.http.limits_cache.NameOfCount"
RATELIMIT_FAIL_OPEN = True  # what could not be counted is told, and docbook.http.throttling decides

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or redis_database(REDIS_URL, 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# By urgency: somebody waits for a code; sweeps and reminders take a moment and are due; a mail may
# wait a little; a scan or a purge may take minutes and has a worker of its own.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name) for name in ("codes", "soon", "mail", "upkeep")
]
CELERY_TASK_DEFAULT_QUEUE = "upkeep"
# What takes longer has hung: all waits inside end earlier. (Workers of threads cannot be stopped.)
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_ANNOTATIONS = {
    task: {"soft_time_limit": minutes * 60 - 10, "time_limit": minutes * 60}
    for task, minutes in (
        ("doctors.expand_slots", 30),
        ("doctors.carry_out_expansion", 30),
        ("bookings.check_invariants", 25),
        ("bookings.check_all_invariants", 240),
        ("bookings.look_over_waitlist", 10),
        ("bookings.make_partitions", 5),
        ("bookings.purge_ended_holds", 30),
        ("bookings.purge_ended_waits", 30),
        ("outbox.purge_done_messages", 30),
        ("accounts.purge_refresh_sessions", 30),
        ("http.purge_idempotency_records", 30),
        ("http.purge_sessions", 30),
    )
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "queue_order_strategy": "priority",  # in the order in which a worker names its queues
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # what lies with a worker already is passed by nothing
CELERY_TASK_PUBLISH_RETRY = False  # the outbox tries again by itself
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Each run expires before its next: an hour without workers must not queue 240 sweeps before a mail.
CELERY_BEAT_SCHEDULE = {
    "sweep-holds": {
        "task": "bookings.sweep_holds",
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15, "queue": "soon"},
    },
    "seal-audit": {
        "task": "audit.seal",
        "schedule": timedelta(seconds=10),
        "options": {"expires": 10, "queue": "soon"},
    },
    "check-invariants": {
        "task": "bookings.check_invariants",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 240},
    },
    "check-all-invariants": {
        "task": "bookings.check_all_invariants",
        "schedule": crontab(hour="2", minute="30"),
        "options": {"expires": 6 * 3600},
    },
    "publish-reminders": {
        "task": "bookings.publish_reminders",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30, "queue": "soon"},
    },
    "mark-missed": {
        "task": "bookings.mark_missed",
        "schedule": timedelta(minutes=15),
        "options": {"expires": 900, "queue": "soon"},
    },
    "look-over-waitlist": {
        "task": "bookings.look_over_waitlist",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 240},
    },
    "expand-slots": {
        "task": "doctors.expand_slots",
        "schedule": timedelta(hours=6),
        "options": {"expires": 3600},
    },
    "make-partitions": {
        "task": "bookings.make_partitions",
        "schedule": timedelta(hours=12),
        "options": {"expires": 3600},
    },
    "renew-kept-secrets": {
        "task": "accounts.renew_kept_secrets",
        "schedule": crontab(hour="3", minute="45"),
        "options": {"expires": 6 * 3600},
    },
    "purge-http-records": {
        "task": "http.purge_idempotency_records",
        "schedule": timedelta(hours=1),
        "options": {"expires": 1800},
    },
} | {
    f"purge-{name}": {
        "task": task,
        "schedule": crontab(hour="3", minute=minute),
        "options": {"expires": 6 * 3600},
    }
    for name, task, minute in (
        ("ended-holds", "bookings.purge_ended_holds", "10"),
        ("ended-waits", "bookings.purge_ended_waits", "15"),
        ("done-messages", "outbox.purge_done_messages", "20"),
        ("refresh-sessions", "accounts.purge_refresh_sessions", "30"),
        ("account-codes", "accounts.purge_codes", "35"),
        ("browser-sessions", "http.purge_sessions", "40"),
    )
}

# -- mail
_email = env.email_url("EMAIL_URL", default="smtp://localhost:25")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email.get("EMAIL_HOST")
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _email.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="DocBook <no-reply@docbook.test>")

# -- SMS
SMS_URL = sms_url(optional_secret("SMS_URL"))
# Where codes go: by SMS to signed-in patients who have given a number, else by e-mail.
CODE_CHANNEL = code_channel(env.str("CODE_CHANNEL", default="email"), sms=SMS_URL)

# -- who you are
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
] + [{"NAME": "accounts.password_strength.StrengthValidator"}]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "bookings:after_sign_in"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupNames"
ACCOUNT_FORMS = {
    "login": "accounts.account_forms.LoginForm",
    "signup": "accounts.account_forms.SignupForm",
    "reset_password": "accounts.account_forms.ResetPasswordForm",
    "request_login_code": "accounts.account_forms.RequestLoginCodeForm",
    "add_email": "accounts.account_forms.AddEmailForm",
    "change_password": "accounts.account_forms.ChangePasswordForm",
    "set_password": "accounts.account_forms.SetPasswordForm",
    "reauthenticate": "accounts.account_forms.ReauthenticateForm",
    "reset_password_from_key": "accounts.account_forms.ResetPasswordKeyForm",
    "confirm_login_code": "accounts.account_forms.ConfirmLoginCodeForm",
    "confirm_email_verification_code": "accounts.account_forms.ConfirmEmailCodeForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = 3
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = 3
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# As the code of a booking: digits have a keypad of their own, and three tries guess none.
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = True
# A new address or password needs the old password or a code, and is told to the old address.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Its own limits refuse everybody when Redis is gone; accounts.limits has ours instead.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_USER_DISPLAY = "accounts.adapter.display_name"

# -- those who work here: staff, doctors and secretaries
# Whether they need a second factor before the practice or the admin opens.
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=False)
WORK_IDLE_MINUTES = env.int("WORK_IDLE_MINUTES", default=30)
WORK_SESSION_HOURS = env.int("WORK_SESSION_HOURS", default=12)
MFA_ADAPTER = "accounts.mfa_adapter.SecondFactorAdapter"
MFA_TOTP_ISSUER = "DocBook"
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "accounts.mfa_forms.AuthenticateForm",
    "reauthenticate": "accounts.mfa_forms.ReauthenticateForm",
    "activate_totp": "accounts.mfa_forms.ActivateTOTPForm",
}

# -- API
ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
REFRESH_TOKEN_LIFETIME = timedelta(days=14)
# Keys are those of JWT_KEYS; see accounts.tokens.
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "ISSUER": "docbook",
    "AUDIENCE": "docbook-api",
    "LEEWAY": 30,  # app servers' clocks differ
    "USER_ID_CLAIM": "sub",
    "TOKEN_TYPE_CLAIM": "typ",
    "JTI_CLAIM": None,  # a refresh token's is its session's
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": REFRESH_TOKEN_LIFETIME,
    "AUTH_TOKEN_CLASSES": ["accounts.tokens.AccessToken"],
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["docbook.http.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "docbook.http.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DocBook API",
    "DESCRIPTION": "Find a doctor, hold a time, confirm it with a one-time code.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,  # what changes something is whole as well
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "CONTACT": {"name": "The team that runs this server"},
    "SERVERS": [{"url": "/", "description": "The server that this description comes from."}],
    "TAGS": [
        {"name": "auth", "description": "Tokens of an app: signing in, and staying signed in."},
        {"name": "bookings", "description": "Holding a time, confirming it, changing the visit."},
        {"name": "doctors", "description": "Who can be booked and when; a doctor's own day."},
        {"name": "me", "description": "The account of the token."},
        {"name": "waitlist", "description": "Waiting for a time, and taking one that is offered."},
    ],
    "PATH_CONVERTER_OVERRIDES": {
        "id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 2**63 - 1},
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "docbook.http.problem_schema.add_problems",
        "docbook.http.header_schema.add_headers",
        "docbook.http.examples.add_examples_of_parameters",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AppointmentStatus": "bookings.states.AppointmentStatus",
        "VisitMode": "doctors.models.schedule.Mode.for_visits",
        "WaitlistState": "bookings.models.waitlist.WaitlistState",
        "CodeChannel": "bookings.holding.serializers.CHANNELS",
    },
}

# -- words and times
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["docbook.formats"]

# -- static files
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_ADD_HEADERS_FUNCTION = open_to_mail

# -- what a browser may do with our pages
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],  # said by the line above already; scanners ask for it by name
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: [] for feature in ("camera", "geolocation", "microphone", "payment", "usb")
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "docbook.http.message_storage.MessageStorage"
MESSAGE_COOKIE_NAME = "messages"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "docbook.http.pages.csrf_failure"
# The largest forms are the admin's, with a doctor's hours; the API's parser has limits of its own.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 1  # no form of ours takes one

# Whether seed_demo may fill the database: everybody knows the password of the demo's admin.
DEMO_DATA = False

# -- booking
HOLD_SECONDS = 300
LIVE_HOLDS_PER_PATIENT = env.int("LIVE_HOLDS_PER_PATIENT", default=3)
LIVE_HOLDS_PER_GUEST = env.int("LIVE_HOLDS_PER_GUEST", default=1)
# A family, a waiting room's network or a carrier's gateway shares one address.
LIVE_HOLDS_PER_ADDRESS = env.int("LIVE_HOLDS_PER_ADDRESS", default=10)
# Visits still to come, with the times held for further ones.
COMING_VISITS_PER_PATIENT = env.int("COMING_VISITS_PER_PATIENT", default=20)
CODE_RESEND_SECONDS = 30
# How many hours before their visit patients are reminded of it; none for an empty value.
REMINDER_HOURS = reminder_hours(env.list("REMINDER_HOURS", cast=int, default=[24, 2]))
# How long after its end a visit that nobody has marked counts as missed.
MISSED_AFTER_HOURS = env.int("MISSED_AFTER_HOURS", default=4)
OFFER_SECONDS = 15 * 60
WAITLIST_ENTRIES_PER_PATIENT = env.int("WAITLIST_ENTRIES_PER_PATIENT", default=5)
WAITLIST_QUIET_HOURS = hours(env.str("WAITLIST_QUIET_HOURS", default="21:00-08:00"))

LOGGING_CONFIG = None  # docbook.observability.logs does it, for Django and Celery alike
