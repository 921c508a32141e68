"""Redis: the cache, and the limits counted in it."""

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
# The same server, for counting. Errors are raised, so docbook.redis can leave the server alone.
CACHES["limits"] = CACHES["default"] | {
    "BACKEND": "docbook.http.limits_cache.LimitsCache",
    "OPTIONS": CACHES["default"]["OPTIONS"] | {"IGNORE_EXCEPTIONS": False},
}
# django-ratelimit; its rates are in docbook.http.rate_policies.
RATELIMIT_USE_CACHE = "limits"
RATELIMIT_HASH_ALGORITHM = "docbook.http.limits_cache.NameOfCount"
RATELIMIT_FAIL_OPEN = True  # docbook.http.throttling decides what to do if nothing could be counted
