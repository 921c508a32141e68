"""Could the role that serves change the past? For `check --deploy --database default`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import connections

_HINT = "Serve as docbook_app, which owns nothing: see docs/database-roles.md."
_RIGHTS = """
SELECT
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
    bool_or(pg_has_role(current_user, relowner, 'MEMBER')),
    bool_or(has_table_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE')
            OR has_table_privilege(oid, 'TRUNCATE') OR has_table_privilege(oid, 'TRIGGER'))
FROM pg_class
WHERE oid IN (to_regclass('audit_auditevent'), to_regclass('audit_auditseal'))
"""


@register(Tags.database, deploy=True)
def check_role_that_serves(
    databases: Sequence[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Returns the worst of these: W001, a superuser; W002, it owns the audit; W003, it may change
    it.
    """
    found = [_fault(alias) for alias in databases or ()]
    return [fault for fault in found if fault]


def _fault(alias: str) -> CheckMessage | None:
    with connections[alias].cursor() as cursor:
        cursor.execute(_RIGHTS)
        is_superuser, owns, may_change = cursor.fetchone()
    if is_superuser:
        return CheckWarning("DocBook serves as a superuser.", hint=_HINT, id="audit.W001")
    if owns:
        return CheckWarning(
            "DocBook serves as the owner of the audit.", hint=_HINT, id="audit.W002"
        )
    if may_change:
        return CheckWarning(
            "The role that serves may change the audit.", hint=_HINT, id="audit.W003"
        )
    return None
