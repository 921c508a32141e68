"""What a traceback may say."""

import pytest
import structlog
from django.db import DatabaseError, IntegrityError, connection, transaction

from docbook.observability.logs import leave_out_details
from tests.factories import make_user


@pytest.mark.django_db
def test_traceback_of_a_refused_row_does_not_show_the_row() -> None:
    email = make_user().email
    try:
        make_user(email=email)
    except IntegrityError:
        event = structlog.processors.format_exc_info(None, "", {"exc_info": True})
    assert email in event["exception"]
    logged = leave_out_details(None, "", event)["exception"]
    assert email not in logged
    assert "one_user_per_email" in logged


def traceback_of(sql: str, *values: object) -> str:
    """A failed statement as it is formatted for the log, before anything is left out."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    except DatabaseError:
        return structlog.processors.format_exc_info(None, "", {"exc_info": True})["exception"]
    raise AssertionError(sql)


def logged(text: str) -> str:
    return leave_out_details(None, "", {"exception": text})["exception"]


NOT_NULL = "INSERT INTO outbox_outboxmessage (topic, last_error) VALUES (NULL, %s)"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "reason",
    [
        "A rash\nsince Saskia was ill",
        "A rash\n\nHINT: Saskia",
        "A rash\nCONTEXT: Saskia\nof Utrecht",
        "A rash\nTraceback: Saskia",
    ],
)
def test_reason_of_several_lines_is_left_out_to_its_end(reason: str) -> None:
    text = traceback_of(NOT_NULL, reason)
    assert text.count("Saskia") == 2
    said = logged(text)
    assert "Saskia" not in said
    assert "Utrecht" not in said
    assert "NotNullViolation: null value in column" in said
    assert "The above exception was the direct cause of the following exception:" in said
    assert "django.db.utils.IntegrityError: null value in column" in said


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT %s::json",  # CONTEXT: JSON data, line 1: {Saskia
        "SELECT %s || 'Saskia', no_such_column",  # LINE 1: SELECT $1 || 'Saskia', no_such_column
    ],
)
def test_what_a_function_or_a_statement_was_about_is_left_out(sql: str) -> None:
    text = traceback_of(sql, '{"name": Saskia')
    assert "Saskia" in text
    assert "Saskia" not in logged(text)


def test_function_of_ours_is_named_with_its_line() -> None:
    where = "PL/pgSQL function bookings_hold(uuid,bigint,text) line 195 at SQL statement"
    error = f'x.DataError: too long\nCONTEXT:  SQL statement "INSERT (Saskia)"\n{where}'
    assert logged(error) == f"x.DataError: too long\nDETAIL: left out\n{where}"


def test_error_that_is_quoted_in_a_sentence_loses_its_details_too() -> None:
    """Celery writes such lines: raised unexpected: IntegrityError('… DETAIL …')."""
    error = IntegrityError("duplicate key\nDETAIL:  Key (email)=(saskia@example.test) exists.")
    for quoted in (str(error), repr(error)):
        event = leave_out_details(None, "", {"event": f"Task raised unexpected: {quoted}"})
        assert "saskia" not in event["event"]
        assert "duplicate key" in event["event"]
