"""Redis: the cache, and the limits that are counted in it."""

from typing import Any

from docbook.settings.environment import env, optional_secret, with_password

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
