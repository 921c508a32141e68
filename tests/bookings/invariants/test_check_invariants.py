"""`manage.py check_invariants` on a system that is in use."""

import json
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from bookings.models import Hold
from docbook.audit.models import AuditEvent
from docbook.snapshot import one_snapshot
from doctors.models import Slot
from tests.audit.chain import another_connection, sealed, without_triggers
from tests.bookings.acts import as_patient, attempt, book, bookable, guest, let_expire
from tests.bookings.invariants.busy import all_is_told, busy
from tests.factories import make_patient

pytestmark = pytest.mark.django_db(transaction=True)


def check(*arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    out = StringIO()
    try:
        call_command("check_invariants", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code), out.getvalue()
    return 0, out.getvalue()


def broken_codes(*arguments: str) -> list[str]:
    _status, printed = check("--json", *arguments)
    return [each["code"] for each in json.loads(printed)["invariants"] if each["violations"]]


def test_busy_and_sealed_database_keeps_every_promise():
    busy()
    sealed(list(AuditEvent.objects.values_list("pk", flat=True)))
    status, printed = check()
    assert status == 0
    assert printed.endswith("s.\n")
    assert "None of 14 broken" in printed
    assert "3 not looked at" in printed
    assert printed.count("no history") == 3


def test_broken_promise_is_named_with_its_ids():
    visit_type, [slot, *_] = bookable()
    visit = book(slot, visit_type=visit_type, holder=as_patient(make_patient()))
    all_is_told()
    Slot.objects.filter(pk=slot.pk).update(state="open", hold_id=None)
    status, printed = check()
    assert status == 1
    assert "I05 is broken 1 times" in printed
    assert f"slot {slot.pk}: is open, and {visit.pk} has it booked" in printed
    assert "1 of 14 broken" in printed
    assert broken_codes() == ["I05"]


def test_only_what_is_asked_for_is_looked_at():
    _status, printed = check("--json", "--only", "I05", "I16")
    found = json.loads(printed)
    assert [each["code"] for each in found["invariants"]] == ["I05", "I16"]
    assert found["ok"] is True


def test_history_is_taken_as_a_file(tmp_path):
    path = tmp_path / "history"
    path.write_text(
        '{"process": 1, "op": "1", "type": "ok", "f": "hold", "slot": 1, "patient": 1,'
        ' "attempt": "01a214e7-cbf5-7620-95e9-79e0a3add55a", "status": 201}\n'
    )
    assert broken_codes("--history", str(path)) == ["I10"]


@pytest.mark.parametrize("text", ["{", None], ids=["not a history", "not there"])
def test_history_that_cannot_be_read_is_said_to_be_so(tmp_path, text):
    path = tmp_path / "history"
    if text:
        path.write_text(text)
    with pytest.raises(CommandError, match="history"):
        check("--history", str(path))


def test_tampered_audit_breaks_the_last_promise():
    visit_type, [slot, *_] = bookable()
    attempt(slot, visit_type=visit_type, holder=guest())
    all_is_told()
    ids = list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))
    sealed(ids)
    with without_triggers():
        AuditEvent.objects.filter(pk=ids[0]).update(request_id="another")
    status, printed = check()
    assert status == 1
    assert "I16 is broken 1 times" in printed
    assert str(ids[0]) in printed


def test_lapsed_hold_is_no_violation_before_the_sweeper_comes():
    visit_type, [slot, *_] = bookable()
    hold = attempt(slot, visit_type=visit_type, holder=guest())
    all_is_told()
    let_expire(hold)
    assert broken_codes() == []


def test_transaction_in_flight_raises_no_alarm_and_is_not_held_up():
    """Between two of its statements nothing is consistent, but nobody else may see that."""
    _visit_type, [slot, *_] = bookable()
    with another_connection() as booking:
        booking.execute("BEGIN")
        claim = "UPDATE doctors_slot SET state = 'booked', hold_id = %s WHERE id = %s"
        booking.execute(claim, ["01a214e7-cbf5-7620-95e9-79e0a3add55a", slot.pk])
        assert broken_codes() == []
        booking.execute("COMMIT")
    assert broken_codes() == ["I05"]


def test_writers_go_on_while_it_looks():
    visit_type, [slot, *_] = bookable()
    with one_snapshot(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bookings_hold")
        with another_connection() as writer:
            writer.execute("SET lock_timeout = '1s'")
            writer.execute("UPDATE doctors_slot SET state = 'blocked' WHERE id = %s", [slot.pk])
            writer.execute(
                "UPDATE doctors_visittype SET price_cents = 1 WHERE id = %s", [visit_type.pk]
            )
        assert Slot.objects.get(pk=slot.pk).state == "open", "what is newer is not seen"
    assert not Hold.objects.exists()


def test_snapshot_can_take_its_time_and_writes_nothing():
    with one_snapshot(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0",)
        cursor.execute("SELECT current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("on",)


def test_database_that_does_not_answer_is_no_broken_promise():
    environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check_invariants"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "The database does not answer" in done.stderr
    assert "Traceback" not in done.stderr
