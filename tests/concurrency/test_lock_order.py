"""Everybody locks slots first and their hold second. In two orders, two callers would wait for each
other.
"""

import time
from collections.abc import Callable
from datetime import time as time_of_day
from threading import Thread
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from bookings.actors.holder import Holder
from bookings.engine.services import release_hold, sweep_holds
from bookings.holding.services.codes import resend_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment, Hold
from doctors.models import Mode
from doctors.services import claims
from tests.api.client import Api
from tests.bookings.acts import allow_resend, attempt, bookable, code_of, guest, key_of, let_expire
from tests.bookings.waitlist import acts as waitlist
from tests.factories import make_doctor, make_slots, make_visit_type

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[Hold, Holder], object]


def confirm(hold: Hold, holder: Holder) -> object:
    return confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))


def release(hold: Hold, holder: Holder) -> object:
    return release_hold(hold_id=hold.pk, holder=holder)


def ask_again(hold: Hold, holder: Holder) -> object:
    return resend_code(hold_id=hold.pk, holder=holder, now=hold.expires_at)


def sweep(_hold: Hold, _holder: Holder) -> object:
    return sweep_holds()


def elsewhere(act: Callable[[], object]) -> Thread:
    """Runs on its own database connection; returns once it waits there for a lock."""

    def run() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '60s'")  # on a slow machine it waits for us
            act()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(DISTINCT pid) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone() == (1,):
                return thread
        time.sleep(0.01)
    thread.join()
    raise AssertionError("Nobody waits for the slots.")


def test_hold_that_the_database_ends_to_break_a_deadlock_is_tried_again() -> None:
    """We take the holder's lock and then the address's; somebody takes them in the other order. The
    caller that has waited longest finds the deadlock, and is ended.
    """
    visit_type, slots = bookable()
    holder = guest()

    def hold() -> None:
        hold_slot(
            slot_id=slots[0].pk,
            visit_type_id=visit_type.pk,
            holder=holder,
            address=4711,
            now=timezone.now(),
        )

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(4711)")
        thread = elsewhere(hold)
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key_of(holder)])
        assert not Hold.objects.exists()
    thread.join()
    assert Hold.objects.get().state == "held"


@pytest.mark.parametrize("act", [confirm, release, ask_again, sweep])
def test_caller_who_waits_for_the_slots_has_not_locked_the_hold(act: Act) -> None:
    visit_type, slots = bookable(slots=2)
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    allow_resend(hold)
    if act is sweep:
        let_expire(hold)

    with transaction.atomic():
        # Like somebody who claims the slots of an expired hold: next, they mark the hold.
        claims.lock_slots(slot_ids=hold.slot_ids)
        thread = elsewhere(lambda: act(hold, holder))
        Hold.objects.select_for_update(nowait=True).get(pk=hold.pk)
    thread.join()

    hold.refresh_from_db()
    assert (hold.state, hold.otp_resends) == {
        confirm: ("confirmed", 0),
        release: ("released", 0),
        ask_again: ("held", 1),
        sweep: ("expired", 0),
    }[act]


def test_patient_who_accepts_an_offer_with_a_number_locks_its_slots_first(settings) -> None:
    """The API answers in one transaction: the number and the visit are written together."""
    settings.WAITLIST_QUIET_HOURS = (time_of_day.min, time_of_day.min)
    by_phone = make_visit_type(doctor=make_doctor(), mode=Mode.PHONE)
    slots = make_slots(doctor=by_phone.doctor, count=1)
    [entry] = waitlist.in_line(by_phone, count=1)
    [offer] = waitlist.release(*slots)
    Hold.objects.filter(pk=offer.pk).update(phone="")
    answers = []

    def accept() -> None:
        path, key = f"waitlist/offers/{offer.pk}/accept", str(uuid4())
        answer = Api(entry.patient).post(path, {"phone": "+31655501234"}, Idempotency_Key=key)
        answers.append(answer.status_code)

    with transaction.atomic():
        claims.lock_slots(slot_ids=offer.slot_ids)
        thread = elsewhere(accept)
        Hold.objects.select_for_update(nowait=True).get(pk=offer.pk)
    thread.join()
    assert answers == [200]
    assert Appointment.objects.get().pk == offer.pk
