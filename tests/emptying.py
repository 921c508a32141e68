"""TRUNCATE tidies up after tests that commit, but the audit refuses it.

So in test databases, and nowhere else, these two triggers exist and are switched off. The tests of
the triggers switch them on in their own transaction.
"""

from django.db import connection

# Trigger → its table.
NEVER_EMPTIED = {
    "audit_events_are_never_emptied": "audit_auditevent",
    "audit_seals_are_never_emptied": "audit_auditseal",
}


def allow_emptying() -> None:
    _switch("DISABLE")


def refuse_emptying() -> None:
    """As in production."""
    _switch("ENABLE")


def _switch(action: str) -> None:
    with connection.cursor() as cursor:
        for trigger, table in NEVER_EMPTIED.items():
            cursor.execute(f"ALTER TABLE {table} {action} TRIGGER {trigger}")
