"""Functions of the database, as they are in this one."""

from docbook.postgres.rows import rows_of


def definition_of(function: str) -> str:
    """The newest function of this name: older ones are for processes of the last release."""
    [(found,)] = rows_of(
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s ORDER BY oid DESC LIMIT 1",
        function,
    )
    return str(found)
