"""Fifty patients, one time; and the same without its guard, to show that the test finds a race."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from bookings.actors.holder import Holder
from bookings.engine import slot_gate
from bookings.errors import SlotHeld, SlotTaken
from bookings.holding import codes
from bookings.holding.services.codes import Details, request_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment, Hold, HoldState
from doctors.models import Slot
from tests.concurrency.rush import rush
from tests.database_functions import definition_of
from tests.factories import make_doctor, make_hold, make_patient, make_slots, make_visit_type

pytestmark = pytest.mark.django_db(transaction=True)

CALLERS = 50


@pytest.fixture
def without_gate(monkeypatch):
    """As if Redis were gone: everybody reaches the database."""
    monkeypatch.setattr(slot_gate, "enter", lambda **_: slot_gate.Passage.UNKNOWN)


@pytest.fixture
def wanted():
    doctor = make_doctor()
    visit_type = make_visit_type(doctor=doctor, slots=2)
    return make_slots(doctor=doctor, count=4)[0], visit_type


def hold_and_confirm(slot, visit_type):
    def act(guest_key):
        holder, now = Holder(guest_key=guest_key), timezone.now()
        hold = hold_slot(slot_id=slot.pk, visit_type_id=visit_type.pk, holder=holder, now=now)
        details = Details("Ana", "Horvat", f"{guest_key}@example.test")
        request_code(hold_id=hold.pk, holder=holder, details=details, now=now)
        code = codes.derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=0)
        return confirm_booking(hold_id=hold.pk, holder=holder, code=code)

    return act


def outcomes(results):
    return Counter(type(result) for result in results)


def test_fifty_who_hold_and_confirm_one_time_have_one_winner(wanted):
    results = rush(hold_and_confirm(*wanted), [uuid4() for _ in range(CALLERS)])

    assert outcomes(results)[Appointment] == 1
    assert outcomes(results)[SlotHeld] + outcomes(results)[SlotTaken] == CALLERS - 1
    assert Appointment.objects.count() == 1
    assert Hold.objects.count() == 1


@pytest.mark.usefixtures("without_gate")
def test_the_database_alone_lets_one_of_fifty_win(wanted):
    results = rush(hold_and_confirm(*wanted), [uuid4() for _ in range(CALLERS)])

    assert outcomes(results)[Appointment] == 1
    assert outcomes(results)[SlotHeld] + outcomes(results)[SlotTaken] == CALLERS - 1
    assert Appointment.objects.count() == 1
    booked = Slot.objects.filter(state="booked")
    assert set(booked.values_list("hold_id", flat=True)) == {Appointment.objects.get().pk}
    assert booked.count() == 2


@pytest.mark.usefixtures("without_gate")
def test_a_lapsed_hold_that_nobody_swept_has_one_heir(wanted):
    slot, visit_type = wanted
    slots = list(Slot.objects.order_by("starts_at")[:2])
    lapsed = make_hold(slots=slots, visit_type=visit_type, guest_key=uuid4())
    past = timezone.now() - timedelta(seconds=1)
    Slot.objects.filter(hold_id=lapsed.pk).update(held_until=past)
    Hold.objects.filter(pk=lapsed.pk).update(expires_at=past)

    results = rush(hold_and_confirm(slot, visit_type), [uuid4() for _ in range(CALLERS)])

    assert outcomes(results)[Appointment] == 1
    lapsed.refresh_from_db()
    assert lapsed.state == HoldState.EXPIRED


@pytest.mark.usefixtures("without_gate")
def test_overlapping_visits_never_share_a_slot(wanted):
    """Visits of two slots that start one slot apart: neighbours in the grid, in either order."""
    _slot, visit_type = wanted
    starts = list(Slot.objects.order_by("starts_at").values_list("pk", flat=True)[:3])

    def act(number):
        holder = Holder(guest_key=uuid4())
        slot_id = starts[number % 3]
        return hold_slot(
            slot_id=slot_id, visit_type_id=visit_type.pk, holder=holder, now=timezone.now()
        )

    results = rush(act, list(range(CALLERS)))

    assert set(outcomes(results)) <= {Hold, SlotHeld, SlotTaken}
    kept = [slot_id for hold in results if isinstance(hold, Hold) for slot_id in hold.slot_ids]
    assert len(kept) == len(set(kept))
    assert 1 <= outcomes(results)[Hold] <= 2


@pytest.mark.usefixtures("without_gate")
def test_one_patient_who_taps_everything_keeps_three_times():
    doctor = make_doctor()
    visit_type = make_visit_type(doctor=doctor)
    slots = make_slots(doctor=doctor, count=12)
    holder = Holder(patient=make_patient())

    def act(slot):
        return hold_slot(
            slot_id=slot.pk, visit_type_id=visit_type.pk, holder=holder, now=timezone.now()
        )

    results = rush(act, slots)

    assert outcomes(results)[Hold] == settings.LIVE_HOLDS_PER_PATIENT


def test_five_of_forty_guesses_are_looked_at(wanted):
    slot, visit_type = wanted
    holder = Holder(guest_key=uuid4())
    now = timezone.now()
    hold = hold_slot(slot_id=slot.pk, visit_type_id=visit_type.pk, holder=holder, now=now)
    request_code(
        hold_id=hold.pk, holder=holder, details=Details("A", "B", "a@example.test"), now=now
    )
    code = codes.derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=0)
    wrong = f"{(int(code) + 1) % 10**6:06d}"

    rush(lambda _: confirm_booking(hold_id=hold.pk, holder=holder, code=wrong), list(range(40)))

    hold.refresh_from_db()
    assert (hold.otp_attempts, hold.state) == (5, HoldState.RELEASED)
    assert not Appointment.objects.exists()


def test_the_right_code_fifty_times_at_once_is_one_appointment(wanted):
    slot, visit_type = wanted
    holder = Holder(guest_key=uuid4())
    now = timezone.now()
    hold = hold_slot(slot_id=slot.pk, visit_type_id=visit_type.pk, holder=holder, now=now)
    request_code(
        hold_id=hold.pk, holder=holder, details=Details("A", "B", "a@example.test"), now=now
    )
    code = codes.derive(key=settings.OTP_KEYS[0], hold_id=hold.pk, resend=0)

    results = rush(
        lambda _: confirm_booking(hold_id=hold.pk, holder=holder, code=code), list(range(CALLERS))
    )

    assert outcomes(results) == {Appointment: CALLERS}
    assert Appointment.objects.count() == 1


LOOK_TOGETHER = f"""
    PERFORM nextval('everybody_looks');
    WHILE (SELECT last_value FROM everybody_looks) < {CALLERS} LOOP
        PERFORM pg_sleep(0.005);
    END LOOP;
    IF cardinality(won) > 0 THEN"""


class TestWithoutTheGuard:
    """Negative control: look first, then write, and nothing in the database prevents it."""

    @pytest.fixture(autouse=True)
    def _guard_is_gone(self, without_gate):
        with connection.cursor() as cursor:
            guarded = definition_of("bookings_hold"), definition_of("bookings_claim_slots")
            unguarded = (
                guarded[0].replace("    IF cardinality(won) > 0 THEN", LOOK_TOGETHER),
                guarded[1].replace("FOR UPDATE OF slot SKIP LOCKED", ""),
            )
            assert not set(guarded) & set(unguarded)
            cursor.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
                ["one_live_hold_on_a_slot"],
            )
            (definition,) = cursor.fetchone()
            cursor.execute("ALTER TABLE bookings_hold DROP CONSTRAINT one_live_hold_on_a_slot")
            cursor.execute("CREATE SEQUENCE everybody_looks")
            for definition_without in unguarded:
                cursor.execute(definition_without)
        yield
        Hold.objects.all().delete()
        with connection.cursor() as cursor:
            for definition_with in guarded:
                cursor.execute(definition_with)
            cursor.execute("DROP SEQUENCE everybody_looks")
            cursor.execute(
                f"ALTER TABLE bookings_hold ADD CONSTRAINT one_live_hold_on_a_slot {definition}"
            )

    def test_the_race_appears(self, wanted):
        slot, visit_type = wanted

        def act(guest_key):
            holder = Holder(guest_key=guest_key)
            return hold_slot(
                slot_id=slot.pk, visit_type_id=visit_type.pk, holder=holder, now=timezone.now()
            )

        results = rush(act, [uuid4() for _ in range(CALLERS)])

        assert outcomes(results)[Hold] > 1
