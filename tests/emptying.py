"""Tests that commit are tidied up after by TRUNCATE, which the audit refuses.

So in the databases of tests, and nowhere else, these two triggers are there and switched off. The
tests of the triggers themselves switch them on in their own transaction.
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
