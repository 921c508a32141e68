"""PostgreSQL: its address, pool and timeouts."""

from docbook.settings.environment import env, optional_secret

_STATEMENT_TIMEOUT_MS = env.int("DATABASE_STATEMENT_TIMEOUT_MS", default=5000)
DATABASES = {"default": env.db("DATABASE_URL")}
# A separate password needs no percent-encoding, and may be in a file.
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
        # After this many uses, a connection prepares a statement and keeps it. PgBouncer allows
        # this from 1.21 on, with max_prepared_statements above 0. With 0 nothing is prepared.
        "prepare_threshold": env.int("DATABASE_PREPARE_AFTER", default=5) or None,
        # Values are sent apart from the statement: a server logs the text of a failing statement.
        "server_side_binding": True,
        # Timeouts are nested: lock 2 s < statement 5 s < proxy 10 s < client 15 s. A client that
        # falls silent in a transaction loses it, and the Idempotency-Key it holds.
        "options": (
            f"-c lock_timeout=2000 -c statement_timeout={_STATEMENT_TIMEOUT_MS}"
            " -c idle_in_transaction_session_timeout=60s -c tcp_user_timeout=60s"
        ),
    },
    # The engine looks whether a pooled connection is alive, without a query.
    "CONN_HEALTH_CHECKS": False,
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
