"""Checks of a hold and a confirmation when related rows are wrong or belong to somebody else: lines
of the database's functions that no other test covers.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from accounts.services import SignInRefused
from bookings.actors.holder import Holder
from bookings.appointments.services.changes import cancel_appointment
from bookings.errors import (
    AppointmentLimit,
    HoldExpired,
    HoldLimit,
    OtpInvalid,
    OtpLocked,
    OutsideBookingWindow,
)
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment, Hold
from bookings.models.holds import MAX_CODE_ATTEMPTS
from bookings.waitlist.services.offers import accept_offer, decline_offer
from docbook.outbox.models import OutboxMessage
from doctors.models import Slot, VisitType
from tests.api.client import Api
from tests.bookings.acts import (
    as_patient,
    ask_for_code,
    attempt,
    book,
    bookable,
    code_of,
    guest,
    hold_instead,
    let_expire,
    take,
    wrong_code,
)
from tests.bookings.traces import traces
from tests.bookings.waitlist.acts import awaited, in_line, release
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_patient,
    make_slots,
    make_specialty,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


def wait_for(visit_type: VisitType) -> None:
    make_waitlist_entry(doctor=visit_type.doctor, visit_type=visit_type)


def released() -> list[str]:
    """The slots of each message to the waitlist."""
    told = OutboxMessage.objects.filter(topic="slot.released").order_by("pk")
    return [each.payload["slot_ids"] for each in told]


def ids(*slots: Slot) -> str:
    return ",".join(str(each.pk) for each in slots)


# -- slots that are not the hold's any more


def given_to_another_hold(slot: Slot) -> None:
    Slot.objects.filter(pk=slot.pk).update(hold_id=uuid4())


def booked_by_somebody(slot: Slot) -> None:
    Slot.objects.filter(pk=slot.pk).update(state="booked", hold_id=uuid4(), held_until=None)


def opened(slot: Slot) -> None:
    Slot.objects.filter(pk=slot.pk).update(state="open", hold_id=None, held_until=None)


def over_before_its_hold(slot: Slot) -> None:
    Slot.objects.filter(pk=slot.pk).update(held_until=Now() - timedelta(seconds=1))


@pytest.mark.parametrize("is_move", [False, True])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize(
    "lost", [given_to_another_hold, booked_by_somebody, opened, over_before_its_hold]
)
def test_hold_that_has_lost_a_slot_books_nothing(
    lost: Callable[[Slot], None], which: int, is_move: bool
) -> None:
    """This should never happen. If it does, neither the visit nor the slot's new owner is
    touched.
    """
    patient = make_patient()
    holder = as_patient(patient)
    visit_type, _none = bookable(count=0, slots=2)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=6)
    take(slots[4], visit_type=visit_type, holder=guest())  # somebody else's, live, beside it
    if is_move:
        old = book(slots[0], visit_type=visit_type, holder=holder)
        hold = hold_instead(old, slots[2])
    else:
        hold = attempt(slots[2], visit_type=visit_type, holder=holder)
    lost(slots[2 + which])
    before = traces()
    with pytest.raises(HoldExpired):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert traces() == before


# -- five wrong codes


def type_five_wrong_codes(hold: Hold, patient: object) -> None:
    for _ in range(MAX_CODE_ATTEMPTS):
        with pytest.raises((OtpInvalid, OtpLocked)):
            confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=wrong_code(hold))


def test_fifth_wrong_code_of_a_move_leaves_the_visit_all_its_slots() -> None:
    """This includes the slots that the new time would have shared."""
    patient = make_patient()
    visit_type, _none = bookable(count=0, slots=2)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=4)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    type_five_wrong_codes(hold_instead(visit, slots[1]), patient)
    states = Slot.objects.order_by("starts_at").values_list("state", "hold_id")
    assert list(states) == [("booked", visit.pk)] * 2 + [("open", None)] * 2


def test_time_of_the_fifth_wrong_code_goes_to_the_line() -> None:
    visit_type, slots = bookable(slots=2)
    patient = make_patient()
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(patient))
    wait_for(visit_type)
    type_five_wrong_codes(hold, patient)
    assert released() == [ids(*slots[:2])]


def test_gate_of_the_fifth_wrong_code_is_open(django_capture_on_commit_callbacks) -> None:
    visit_type, slots = bookable()
    patient = make_patient()
    hold = attempt(slots[0], visit_type=visit_type, holder=as_patient(patient))
    with django_capture_on_commit_callbacks(execute=True):
        type_five_wrong_codes(hold, patient)
    assert take(slots[0], visit_type=visit_type, holder=guest()).pk != hold.pk


# -- the visit that moves


def test_times_that_a_move_gives_up_go_to_the_line_and_no_others() -> None:
    patient = make_patient()
    visit_type, _none = bookable(count=0, slots=2)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=4)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    hold = hold_instead(visit, slots[1])
    wait_for(visit_type)
    confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))
    assert released() == [ids(slots[0])]


def test_what_has_begun_of_a_visit_that_moves_is_nobodys_any_more() -> None:
    """Its code was requested in time, and entered after the visit had begun."""
    patient = make_patient()
    visit_type, _none = bookable(count=0, slots=2)
    began = timezone.now() - timedelta(minutes=10)
    running = make_slots(doctor=visit_type.doctor, starts_at=began, count=2)
    visit = make_appointment(slots=running, patient=patient, visit_type=visit_type)
    later = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=2)
    hold = hold_slot(
        slot_id=later[0].pk,
        visit_type_id=visit_type.pk,
        holder=as_patient(patient),
        replaces=visit.pk,
        now=began - timedelta(days=9),
    )
    ask_for_code(hold, holder=as_patient(patient))
    confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))
    states = Slot.objects.filter(pk__in=[each.pk for each in running]).order_by("starts_at")
    assert list(states.values_list("state", flat=True)) == ["booked", "open"]


def test_slot_of_the_old_time_that_somebody_else_has_stays_theirs() -> None:
    """This should never happen. If it does, a move opens nobody's slot."""
    patient = make_patient()
    visit_type, _none = bookable(count=0, slots=2)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=6)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    hold = hold_instead(visit, slots[3])
    somebody = uuid4()
    Slot.objects.filter(pk=slots[0].pk).update(hold_id=somebody)
    Slot.objects.filter(pk=slots[1].pk).update(
        state="held", hold_id=visit.pk, held_until=timezone.now() + timedelta(minutes=5)
    )
    confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))
    states = Slot.objects.order_by("starts_at").values_list("state", "hold_id")
    assert list(states)[:2] == [("booked", somebody), ("held", visit.pk)]


def test_visit_moves_whatever_became_of_others_at_its_hour_and_of_the_patients_own() -> None:
    patient = make_patient()
    visit_type, _none = bookable(count=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=4)
    called_off = {"status": "cancelled"}
    elsewhere = make_slots(doctor=make_doctor(), starts_at=slots[0].starts_at)
    make_appointment(slots=elsewhere, **called_off)
    make_appointment(slots=slots[2:3], visit_type=visit_type, patient=patient, **called_off)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    hold = hold_instead(visit, slots[1])
    moved = confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))
    assert (moved.replaces, moved.starts_at) == (visit.pk, slots[1].starts_at)


def test_move_that_is_late_is_late_whatever_became_of_another_visit_at_its_hour() -> None:
    patient = make_patient()
    visit_type, _none = bookable(count=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=2)
    elsewhere = make_slots(doctor=make_doctor(), starts_at=slots[0].starts_at)
    make_appointment(slots=elsewhere, status="cancelled")
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    hold = hold_instead(visit, slots[1])
    let_expire(hold)
    with pytest.raises(HoldExpired):
        confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))


# -- limits


def test_offer_that_moves_a_visit_is_accepted_by_a_patient_who_may_have_no_more(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 1
    visit_type, (slot,) = awaited()
    patient = make_patient()
    later = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=9))
    visit = make_appointment(slots=later, patient=patient, visit_type=visit_type)
    make_waitlist_entry(
        doctor=visit_type.doctor, visit_type=visit_type, patient=patient, replaces=visit.pk
    )
    (offer,) = release(slot)
    assert accept_offer(offer_id=offer.pk, patient=patient).replaces == visit.pk


def test_limit_that_is_met_at_the_code_is_named(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 2
    patient = make_patient()
    holder, visit_type = guest(), bookable(count=0)[0]
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=3)
    hold = attempt(slots[2], visit_type=visit_type, holder=holder, email=patient.email)
    for slot in slots[:2]:
        make_appointment(slots=[slot], patient=patient, visit_type=visit_type)
    with pytest.raises(AppointmentLimit) as refusal:
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert refusal.value.extra["limit"] == 2


def test_address_that_keeps_as_many_times_as_allowed_is_told_when_the_next_is_over(
    settings,
) -> None:
    settings.LIVE_HOLDS_PER_ADDRESS = 3
    visit_type, slots = bookable(count=5)

    def keep(slot: Slot, *, address: int = 4711) -> Hold:
        return hold_slot(
            slot_id=slot.pk,
            visit_type_id=visit_type.pk,
            holder=guest(),
            address=address,
            now=timezone.now(),
        )

    kept = [keep(slot) for slot in slots[:3]]
    elsewhere = keep(slots[4], address=4712)
    soon = timezone.now() + timedelta(minutes=1)
    Hold.objects.filter(pk=kept[1].pk).update(expires_at=soon)
    Hold.objects.filter(pk=elsewhere.pk).update(expires_at=soon - timedelta(seconds=30))
    with pytest.raises(HoldLimit) as refusal:
        keep(slots[3])
    assert (refusal.value.extra["limit"], refusal.value.until) == (3, soon)
    let_expire(kept[0])
    assert keep(slots[3]).state == "held"


def test_guest_who_signs_in_half_way_has_no_more_visits_than_others(settings) -> None:
    """As a guest they were not counted; once they enter their code, they are."""
    settings.COMING_VISITS_PER_PATIENT = 1
    patient, (visit_type, slots) = make_patient(), bookable()
    book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    key = uuid4()
    hold = take(slots[2], visit_type=visit_type, holder=Holder(guest_key=key))
    signed_in = Holder(patient=patient, guest_key=key)
    ask_for_code(hold, holder=signed_in)
    with pytest.raises(AppointmentLimit):
        confirm_booking(hold_id=hold.pk, holder=signed_in, code=code_of(hold))


def test_hold_from_before_an_offer_was_taken_is_counted_with_it(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 1
    visit_type, slots = awaited(count=6)
    (entry,) = in_line(visit_type, count=1)
    holder = as_patient(entry.patient)
    hold = attempt(slots[3], visit_type=visit_type, holder=holder)
    (offer,) = release(slots[0])
    accept_offer(offer_id=offer.pk, patient=entry.patient)
    with pytest.raises(AppointmentLimit):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))


def test_patient_with_as_many_visits_as_allowed_moves_each_of_them(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 2
    patient = make_patient()
    visit_type, _none = bookable(count=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=4)
    visits = [book(slot, visit_type=visit_type, holder=as_patient(patient)) for slot in slots[:2]]
    holds = [hold_instead(visit, to) for visit, to in zip(visits, slots[2:], strict=True)]
    for hold in holds:
        confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))
    ahead = Appointment.objects.filter(patient=patient, status="confirmed")
    assert {each.starts_at for each in ahead} == {slot.starts_at for slot in slots[2:]}


def test_attempt_to_move_leaves_room_for_a_further_visit(settings) -> None:
    settings.COMING_VISITS_PER_PATIENT = 2
    patient = make_patient()
    visit_type, _none = bookable(count=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=4)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    hold_instead(visit, slots[1])
    further = attempt(slots[2], visit_type=visit_type, holder=as_patient(patient))
    with pytest.raises(AppointmentLimit):
        attempt(slots[3], visit_type=visit_type, holder=as_patient(patient))
    confirm_booking(hold_id=further.pk, holder=as_patient(patient), code=code_of(further))


# -- who may


@pytest.mark.parametrize("is_move", [False, True])
def test_guest_books_nothing_for_an_account_that_is_closed(is_move: bool) -> None:
    patient, holder = make_patient(), guest()
    visit_type, _none = bookable(count=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=2)
    moves = None
    if is_move:
        moves = book(slots[1], visit_type=visit_type, holder=holder, email=patient.email).pk
    hold = hold_slot(
        slot_id=slots[0].pk,
        visit_type_id=visit_type.pk,
        holder=holder,
        replaces=moves,
        now=timezone.now(),
    )
    ask_for_code(hold, holder=holder, email=patient.email)
    User.objects.filter(pk=patient.pk).update(is_active=False)
    before = traces()
    with pytest.raises(SignInRefused):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert traces() == before


# -- what moves with a visit


def test_visit_that_moves_keeps_its_price() -> None:
    patient = make_patient()
    visit_type = make_visit_type(doctor=make_doctor(), price_cents=6000, currency="EUR")
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=2)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    hold = hold_instead(visit, slots[1])
    VisitType.objects.filter(pk=visit_type.pk).update(price_cents=9000, currency="CHF")
    moved = confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))
    assert (moved.price_cents, moved.currency) == (6000, "EUR")


def test_offer_with_another_doctor_has_their_price_and_not_what_was_written_to_the_first() -> None:
    """The form has promised that only the clinic reads it."""
    specialty = make_specialty()
    one, other = (
        make_doctor(specialty=specialty, clinic=make_clinic(), min_notice_minutes=0)
        for _ in range(2)
    )
    mine = make_visit_type(doctor=one, price_cents=6000)
    make_visit_type(doctor=other, price_cents=9000)
    patient = make_patient()
    (later,) = make_slots(doctor=one, starts_at=tomorrow_at(days=5))
    (sooner,) = make_slots(doctor=other, starts_at=tomorrow_at(days=2))
    visit = book(
        later, visit_type=mine, holder=as_patient(patient), first_name="Mia", reason="Only for you"
    )
    make_waitlist_entry(
        doctor=None, patient=patient, specialty=specialty, city=other.clinic.city, replaces=visit.pk
    )
    (offer,) = release(sooner)
    moved = accept_offer(offer_id=offer.pk, patient=patient)
    assert (moved.doctor, moved.price_cents, moved.reason) == (other, 9000, "")
    assert moved.patient_name.startswith("Mia ")


# -- answers, clocks, neighbours


@pytest.mark.parametrize("change", ["cancel", "move"])
def test_code_typed_again_after_a_change_shows_the_visit_as_it_stands(change: str) -> None:
    """The answer that the database fills in is the same that is read later, also next to other
    visits.
    """
    for name in ("Anna", "Bruno"):
        other = make_doctor(name=name, clinic=make_clinic(city=name))
        make_appointment(slots=make_slots(doctor=other, starts_at=tomorrow_at(days=3)))
        make_visit_type(doctor=other, name=f"By {name}")
    patient = make_patient()
    visit_type, _none = bookable(count=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=2)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    if change == "cancel":
        cancel_appointment(
            appointment_id=visit.pk,
            by=as_patient(patient),
            version=1,
            reason="Better again",
            now=timezone.now(),
        )
    else:
        hold = hold_instead(visit, slots[1])
        confirm_booking(hold_id=hold.pk, holder=as_patient(patient), code=code_of(hold))
    api = Api(patient)
    again = api.verify(visit.pk, "123456").json()
    assert again == api.get(f"bookings/{visit.pk}").json()
    assert again["cancelReason"] == ("Better again" if change == "cancel" else "")
    assert bool(again["replacedBy"]) == (change == "move")


def test_hold_is_over_at_the_moment_and_not_at_the_beginning_of_the_transaction() -> None:
    """A request that waited for a lock judges by the time when it looks."""
    visit_type, slots = bookable()
    holder = guest()
    hold = attempt(slots[0], visit_type=visit_type, holder=holder)
    moment = timezone.now()  # after this test's transaction has begun
    Hold.objects.filter(pk=hold.pk).update(expires_at=moment)
    Slot.objects.filter(hold_id=hold.pk).update(held_until=moment)
    with pytest.raises(HoldExpired):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert take(slots[0], visit_type=visit_type, holder=holder).pk != hold.pk


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Pacific/Auckland", "America/Los_Angeles"])
@pytest.mark.parametrize("is_in_time", [True, False])
def test_horizon_ends_with_a_day_of_the_slots_own_clinic(zone: str, is_in_time: bool) -> None:
    """Today is the first of five days, on the clock of the visit's clinic."""
    visit_type, _none = bookable(count=0, horizon_days=5)
    clinic = make_clinic(time_zone=zone)
    today = timezone.now().astimezone(clinic.zone).date()
    end = datetime.combine(today + timedelta(days=5), time(), tzinfo=clinic.zone)
    near = end - timedelta(minutes=5 if is_in_time else 0)
    (slot,) = make_slots(doctor=visit_type.doctor, clinic=clinic, starts_at=near)
    if is_in_time:
        assert take(slot, visit_type=visit_type, holder=guest()).starts_at == near
    else:
        with pytest.raises(OutsideBookingWindow):
            take(slot, visit_type=visit_type, holder=guest())


def test_answer_to_one_offer_is_no_answer_to_another() -> None:
    visit_type, slots = awaited(count=2)
    first, second = in_line(visit_type, count=2)
    offers = release(*slots)
    assert len(offers) == 2
    decline_offer(offer_id=offers[0].pk, patient=offers[0].patient)
    states = {entry.pk: entry.state for entry in (first, second) if not entry.refresh_from_db()}
    assert sorted(states.values()) == ["offered", "waiting"]


def test_change_of_an_offer_that_is_over_changes_no_entry() -> None:
    """The retention of old holds could cause such a change, or a corrected mark."""
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    (offer,) = release(slot)
    decline_offer(offer_id=offer.pk, patient=offer.patient)
    type(entry).objects.filter(pk=entry.pk).update(state="offered")
    Hold.objects.filter(pk=offer.pk).update(state="expired")
    entry.refresh_from_db()
    assert entry.state == "offered"
