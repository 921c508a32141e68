"""Production: refuses to start with a missing secret or a public one."""

from django.core.exceptions import ImproperlyConfigured

from docbook.settings.base import *
from docbook.settings.base import (
    DATABASES,
    JWT_KEYS,
    METRICS_TOKEN,
    OTP_KEYS,
    SECOND_FACTOR_KEYS,
    SECRET_KEY,
    TRUSTED_PROXIES,
)
from docbook.settings.environment import env, require_addresses, require_password, require_secrets

require_secrets(
    {
        "SECRET_KEY": [SECRET_KEY],
        "OTP_KEYS": OTP_KEYS,
        "JWT_KEYS": JWT_KEYS,
        "SECOND_FACTOR_KEYS": SECOND_FACTOR_KEYS,
        **({"METRICS_TOKEN": [METRICS_TOKEN]} if METRICS_TOKEN else {}),
    }
)
if env.bool("DEBUG", default=False):
    raise ImproperlyConfigured("DEBUG is for development only.")

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
SITE_URL = env.str("SITE_URL").rstrip("/")
require_addresses(hosts=ALLOWED_HOSTS, site=SITE_URL)
require_password(
    "DATABASE_URL",
    str(DATABASES["default"].get("PASSWORD") or ""),
    user=str(DATABASES["default"].get("USER") or ""),
)
REQUIRE_SECOND_FACTOR = env.bool("REQUIRE_SECOND_FACTOR", default=True)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
# The API refuses an app that sends its token in the clear, and so does a calendar feed. A redirect
# would only help them go on.
SECURE_REDIRECT_EXEMPT = [
    *[r"^healthz$", r"^readyz$", r"^metrics$"],
    *[r"^api/(?!v1/docs/)", r"^calendar/"],
]
SECURE_HSTS_SECONDS = 63_072_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
MESSAGE_COOKIE_NAME = "__Host-messages"
