"""PostgreSQL: its address, its pool and its time-outs."""

from docbook.settings.environment import env, optional_secret

_STATEMENT_TIMEOUT_MS = env.int("DATABASE_STATEMENT_TIMEOUT_MS", default=5000)
DATABASES = {"default": env.db("DATABASE_URL")}
# A password of its own needs no percent-encoding, and may lie in a file.
if _password := optional_secret("DATABASE_PASSWORD"):
    DATABASES["default"]["PASSWORD"] = _password
DATABASES["default"] |= {
    "ENGINE": "docbook.postgres",
    # The default wait of 30 s for a connection would hide a dead database.
    "OPTIONS": {
        "pool": {
            "min_size": 1,
            "max_size": env.int("DATABASE_POOL_SIZE", default=16),
            "timeout": 5,
        },
        "connect_timeout": 5,
        # A statement that a connection has used five times is planned once and for all. It can pass
        # PgBouncer from 1.21 on, which keeps track of prepared statements.
        "prepare_threshold": 5,
        # Values stay out of the statement: a server writes a statement that fails into its log.
        "server_side_binding": True,
        # Time-outs nest: lock 2 s < statement 5 s < proxy 10 s < client 15 s.
        # A client that goes silent in a transaction loses it, with the Idempotency-Key it holds.
        "options": (
            f"-c lock_timeout=2000 -c statement_timeout={_STATEMENT_TIMEOUT_MS}"
            " -c idle_in_transaction_session_timeout=60s -c tcp_user_timeout=60s"
        ),
    },
    # The engine looks whether a pooled connection is alive, without a query.
    "CONN_HEALTH_CHECKS": False,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
