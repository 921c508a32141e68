"""Who is offered a time that is free again, and who gets it next."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from bookings.appointments.services.changes import cancel_appointment
from bookings.engine.services import announce_release, release_hold
from bookings.errors import HoldExpired, PatientBusy
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry
from bookings.waitlist.selectors import free_times_near
from bookings.waitlist.services.entries import leave_waitlist
from bookings.waitlist.services.look_over import offer_free_times
from bookings.waitlist.services.offers import accept_offer, decline_offer, offer_the_first
from docbook.audit.models import AuditEvent
from docbook.errors import NotFound, NotYours
from docbook.outbox.models import OutboxMessage
from doctors.models import Doctor, Slot, SlotState
from tests.bookings.acts import as_patient, book, guest, let_expire, take
from tests.bookings.waitlist.acts import (
    awaited,
    hear_of_releases,
    in_daylight,
    in_line,
    release,
    run_out,
)
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


def states(line: list[WaitlistEntry]) -> list[str]:
    found = WaitlistEntry.objects.in_bulk([entry.pk for entry in line])
    return [found[entry.pk].state for entry in line]


def holders(slot_id: int) -> list[object]:
    """Who had an offer of this time, in order."""
    offers = Hold.objects.filter(slot_ids__contains=[slot_id]).order_by("created_at", "id")
    return list(offers.values_list("waitlist_entry_id", flat=True))


def test_first_in_line_gets_a_real_hold_of_fifteen_minutes() -> None:
    visit_type, slots = awaited()
    line = in_line(visit_type)
    (offer,) = release(*slots)
    patient = line[0].patient
    slots[0].refresh_from_db()
    assert (offer.waitlist_entry, offer.patient) == (line[0], patient)
    assert (offer.email, offer.first_name) == (patient.email, patient.first_name)
    assert offer.expires_at - Hold.objects.get().created_at > timedelta(minutes=14, seconds=58)
    assert (slots[0].state, slots[0].hold_id) == (SlotState.HELD, offer.pk)
    assert slots[0].held_until == offer.expires_at
    assert states(line) == ["offered", "waiting", "waiting"]
    message = OutboxMessage.objects.get(topic="waitlist.offered")
    assert message.payload == {"hold_id": str(offer.pk)}
    assert message.aggregate_id == str(offer.pk)
    made = AuditEvent.objects.get(action="hold.created", object_id=offer.pk)
    event = AuditEvent.objects.get(action="waitlist.offered", object_id=offer.pk)
    assert (made.actor_kind, event.actor_kind, event.object_type) == ("system", "system", "hold")
    assert event.after == {"state": "held", "slots": offer.slot_ids, "entry": str(line[0].pk)}


def test_first_in_line_that_it_suits_gets_it() -> None:
    visit_type, slots = awaited()
    day = slots[0].starts_at.date()
    in_line(visit_type, count=1, until_on=day - timedelta(days=1))
    in_line(visit_type, count=1, weekdays=[(day.weekday() + 1) % 7])
    in_line(visit_type, count=1, day_from=time(20))
    in_line(visit_type, count=1, day_until=time(6))
    in_line(make_visit_type(doctor=make_doctor()), count=1)
    (suited,) = in_line(visit_type, count=1)
    in_line(visit_type, count=1)
    (offer,) = release(*slots)
    assert offer.waitlist_entry == suited


def test_time_that_is_told_of_twice_is_offered_once() -> None:
    visit_type, slots = awaited()
    in_line(visit_type)
    assert len(release(*slots)) == 1
    assert release(*slots) == []


def test_two_times_go_to_the_first_two() -> None:
    visit_type, (later,) = awaited()
    earlier = make_slots(doctor=visit_type.doctor, starts_at=later.starts_at - timedelta(hours=1))
    slots = [*earlier, later]
    line = in_line(visit_type)
    offers = release(*reversed(slots))
    assert [offer.waitlist_entry for offer in offers] == line[:2]
    assert [offer.starts_at for offer in offers] == [slot.starts_at for slot in slots]


def test_one_entry_has_one_offer_however_many_times_are_free() -> None:
    visit_type, slots = awaited(count=3)
    in_line(visit_type, count=1)
    assert len(release(*slots)) == 1
    assert release(*slots) == []


@pytest.mark.parametrize("how", ["run out", "declined", "left"])
def test_time_passes_down_a_line_of_three_and_then_is_free(how: str) -> None:
    visit_type, (slot,) = awaited()
    line = in_line(visit_type)
    release(slot)
    for entry in line:
        offer = Hold.objects.get(waitlist_entry=entry, state=HoldState.HELD)
        if how == "run out":
            run_out(offer)
        elif how == "declined":
            decline_offer(offer_id=offer.pk, patient=entry.patient)
        else:
            release_hold(hold_id=offer.pk, holder=as_patient(entry.patient))
        hear_of_releases()
    assert holders(slot.pk) == [entry.pk for entry in line]
    assert states(line) == ["waiting"] * 3
    slot.refresh_from_db()
    assert slot.state == SlotState.OPEN
    assert release(slot) == []


def test_lapsed_offer_that_somebody_takes_over_leaves_its_patient_waiting() -> None:
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    (offer,) = release(slot)
    let_expire(offer)
    take(slot, visit_type=visit_type, holder=guest())
    offer.refresh_from_db()
    assert (offer.state, states([entry])) == (HoldState.EXPIRED, ["waiting"])


def test_long_visit_is_offered_where_the_released_time_completes_it() -> None:
    visit_type, slots = awaited(count=3, slots=2)
    make_appointment(slots=slots[2:])
    in_line(visit_type, count=1)
    (offer,) = release(slots[1])
    assert offer.slot_ids == [slots[0].pk, slots[1].pk]


def test_long_visit_that_does_not_fit_leaves_the_time_to_the_next() -> None:
    visit_type, (slot,) = awaited(slots=2)
    in_line(visit_type, count=1)
    short = make_visit_type(doctor=visit_type.doctor)
    (entry,) = in_line(short, count=1)
    (offer,) = release(slot)
    assert offer.waitlist_entry == entry


def test_specialty_in_a_city_is_served_from_the_same_line() -> None:
    visit_type, (slot,) = awaited()
    doctor = visit_type.doctor
    came_first, came_second = in_line(visit_type, count=2)
    for_anybody = make_waitlist_entry(doctor=None, specialty=doctor.specialty, city="Utrecht")
    elsewhere = make_waitlist_entry(doctor=None, specialty=doctor.specialty, city="Leiden")
    WaitlistEntry.objects.filter(pk=elsewhere.pk).update(created_at=came_first.created_at)
    WaitlistEntry.objects.filter(pk=for_anybody.pk).update(
        created_at=came_first.created_at + timedelta(minutes=1)
    )
    (offer,) = release(slot)
    run_out(offer)
    (offer,) = release(slot)
    assert (offer.waitlist_entry, offer.visit_type) == (for_anybody, visit_type)
    run_out(offer)
    (offer,) = release(slot)
    assert offer.waitlist_entry == came_second


def test_specialty_is_served_by_a_reason_of_the_mode_that_is_wanted() -> None:
    visit_type, _slots = awaited(count=0)
    doctor = visit_type.doctor
    video = make_visit_type(doctor=doctor, mode="video")
    slots = make_slots(doctor=doctor, starts_at=tomorrow_at(days=2), mode="any")
    make_waitlist_entry(doctor=None, specialty=doctor.specialty, city="Utrecht", mode="video")
    (offer,) = release(*slots)
    assert offer.visit_type == video


def test_who_waits_for_what_the_doctor_does_not_offer_keeps_nobody_behind_them_waiting() -> None:
    visit_type, (slot,) = awaited()
    doctor = visit_type.doctor
    field = {"specialty": doctor.specialty, "city": doctor.clinic.city}
    alone = {"doctor": None, "visit_type": None, "patient": make_patient()}
    by_video = make_waitlist_entry(**alone, **field, mode="video")
    WaitlistEntry.objects.filter(pk=by_video.pk).update(
        created_at=timezone.now() - timedelta(days=9)
    )
    (entry,) = in_line(visit_type, count=1)
    (offer,) = release(slot)
    assert offer.waitlist_entry == entry


def test_times_that_do_not_suit_are_passed_over() -> None:
    visit_type, slots = awaited(count=2)
    (entry,) = in_line(
        visit_type,
        count=1,
        day_from=slots[1].starts_at.astimezone(visit_type.doctor.clinic.zone).time(),
    )
    (offer,) = offer_free_times(now=in_daylight())
    assert (offer.waitlist_entry, offer.starts_at) == (entry, slots[1].starts_at)


def test_who_has_left_meanwhile_is_offered_nothing() -> None:
    visit_type, _slots = awaited()
    gone, _waits = in_line(visit_type, count=2)
    among = list(free_times_near(gone, now=in_daylight()))
    leave_waitlist(entry_id=gone.pk, patient=gone.patient)
    assert among
    assert offer_the_first(gone, among=among, now=in_daylight()) is None


def test_patient_with_a_visit_at_that_time_is_passed_over() -> None:
    visit_type, (slot,) = awaited()
    busy, free = in_line(visit_type, count=2)
    elsewhere = make_slots(doctor=make_doctor(), starts_at=slot.starts_at)
    make_appointment(slots=elsewhere, patient=busy.patient)
    (offer,) = release(slot)
    assert offer.waitlist_entry == free


def test_time_that_a_patient_has_cancelled_is_not_offered_to_them() -> None:
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    holder = as_patient(entry.patient)
    visit = book(slot, visit_type=visit_type, holder=holder)
    cancel_appointment(appointment_id=visit.pk, by=holder, version=visit.version, now=in_daylight())
    assert hear_of_releases() == 1
    assert not Hold.objects.filter(waitlist_entry=entry).exists()


def test_patient_whose_account_is_closed_is_passed_over() -> None:
    visit_type, (slot,) = awaited()
    gone, here = in_line(visit_type, count=2)
    gone.patient.is_active = False
    gone.patient.save()
    (offer,) = release(slot)
    assert offer.waitlist_entry == here


@pytest.mark.parametrize("limit", ["notice", "horizon"])
def test_time_that_cannot_be_booked_any_more_or_yet_is_offered_to_nobody(limit: str) -> None:
    tight = {"min_notice_minutes": 4 * 24 * 60} if limit == "notice" else {"horizon_days": 1}
    visit_type, slots = awaited(**tight)
    in_line(visit_type)
    assert release(*slots) == []


def test_offer_counts_against_no_limit_of_holds() -> None:
    visit_type, slots = awaited(count=4)
    (entry,) = in_line(visit_type, count=1)
    elsewhere, others = awaited(count=6)
    for slot in others[::2]:
        take(slot, visit_type=elsewhere, holder=as_patient(entry.patient))
    assert len(release(slots[1])) == 1


def test_accepted_offer_is_an_appointment_and_the_wait_is_over() -> None:
    visit_type, (slot,) = awaited()
    line = in_line(visit_type, count=2)
    (offer,) = release(slot)
    patient = line[0].patient
    appointment = accept_offer(offer_id=offer.pk, patient=patient)
    again = accept_offer(offer_id=offer.pk, patient=patient)
    slot.refresh_from_db()
    assert appointment.pk == again.pk == offer.pk
    assert appointment.patient == patient
    assert appointment.patient_name == "Noor Bakker"
    assert slot.state == SlotState.BOOKED
    assert states(line) == ["fulfilled", "waiting"]
    assert OutboxMessage.objects.filter(topic="appointment.confirmed").count() == 1


def test_offer_that_ran_out_is_not_accepted_even_before_the_sweeper() -> None:
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    (offer,) = release(slot)
    let_expire(offer)
    with pytest.raises(HoldExpired):
        accept_offer(offer_id=offer.pk, patient=entry.patient)
    assert not Appointment.objects.exists()


def test_patient_who_has_become_busy_keeps_the_offer_to_answer() -> None:
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    (offer,) = release(slot)
    make_appointment(
        slots=make_slots(doctor=make_doctor(), starts_at=slot.starts_at), patient=entry.patient
    )
    with pytest.raises(PatientBusy):
        accept_offer(offer_id=offer.pk, patient=entry.patient)
    offer.refresh_from_db()
    assert (offer.state, states([entry])) == (HoldState.HELD, ["offered"])


def test_stranger_neither_accepts_nor_declines() -> None:
    visit_type, (slot,) = awaited()
    in_line(visit_type, count=1)
    (offer,) = release(slot)
    for act in (accept_offer, decline_offer):
        with pytest.raises(NotYours) as refusal:
            act(offer_id=offer.pk, patient=make_patient())
        assert (refusal.value.object_type, refusal.value.pk) == ("hold", offer.pk)
    offer.refresh_from_db()
    assert offer.state == HoldState.HELD


def test_hold_that_is_no_offer_is_not_accepted_without_a_code() -> None:
    visit_type, (slot,) = awaited()
    patient = make_patient()
    hold = take(slot, visit_type=visit_type, holder=as_patient(patient))
    with pytest.raises(NotFound):
        accept_offer(offer_id=hold.pk, patient=patient)
    assert not Appointment.objects.exists()


# -- an earlier time for a visit -------------------------------------------------------------------


def waiting_for_an_earlier_one(*, days: int = 4) -> tuple[WaitlistEntry, Appointment]:
    visit_type, _slots = awaited(count=0)
    patient = make_patient()
    visit = make_appointment(
        slots=make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=days)),
        patient=patient,
        visit_type=visit_type,
    )
    entry = make_waitlist_entry(
        patient=patient, doctor=visit_type.doctor, visit_type=visit_type, replaces=visit.pk
    )
    return entry, visit


def test_only_earlier_times_are_offered_for_a_visit() -> None:
    entry, visit = waiting_for_an_earlier_one()
    (later,) = make_slots(doctor=entry.doctor, starts_at=visit.ends_at)
    (earlier,) = make_slots(doctor=entry.doctor, starts_at=tomorrow_at(days=3))
    assert release(later) == []
    (offer,) = release(earlier)
    assert (offer.starts_at, offer.replaces) == (earlier.starts_at, visit.pk)


def test_time_that_overlaps_the_visit_it_would_move_is_offered() -> None:
    visit_type, slots = awaited(count=3, slots=2)
    patient = make_patient()
    visit = make_appointment(slots=slots[1:], patient=patient, visit_type=visit_type)
    make_waitlist_entry(
        patient=patient, doctor=visit_type.doctor, visit_type=visit_type, replaces=visit.pk
    )
    short = make_visit_type(doctor=visit_type.doctor)
    entry = make_waitlist_entry(
        patient=patient, doctor=visit_type.doctor, visit_type=short, replaces=visit.pk
    )
    (offer,) = release(slots[0])
    assert offer.waitlist_entry == entry


@pytest.mark.parametrize("fate", ["cancelled", "rescheduled", "arrived"])
def test_wait_ends_with_the_visit_that_was_to_be_moved(fate: str) -> None:
    entry, visit = waiting_for_an_earlier_one()
    Appointment.objects.filter(pk=visit.pk).update(status=fate, version=visit.version + 1)
    (earlier,) = make_slots(doctor=entry.doctor, starts_at=tomorrow_at(days=3))
    assert release(earlier) == []
    assert states([entry]) == ["ended"]
    event = AuditEvent.objects.get(action="waitlist.ended")
    assert event.after == {"state": "ended", "because": "visit-changed"}


def test_wait_ends_when_the_visit_can_no_longer_be_moved() -> None:
    entry, visit = waiting_for_an_earlier_one()
    Doctor.objects.filter(pk=entry.doctor_id).update(change_notice_minutes=7 * 24 * 60)
    (earlier,) = make_slots(doctor=entry.doctor, starts_at=tomorrow_at(days=3))
    assert release(earlier) == []
    assert states([entry]) == ["ended"]
    assert Appointment.objects.get(pk=visit.pk).status == "confirmed"


# -- quiet hours, and the look over what is free ---------------------------------------------------


@pytest.fixture
def quiet_nights(settings) -> None:
    settings.WAITLIST_QUIET_HOURS = (time(21), time(8))


def night() -> datetime:
    """Tomorrow 03:00 in Utrecht, give or take an hour."""
    return tomorrow_at(2)


@pytest.mark.usefixtures("quiet_nights")
def test_time_released_at_night_is_offered_in_the_morning() -> None:
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    assert release(slot, now=night()) == []
    assert offer_free_times(now=night()) == []
    (offer,) = offer_free_times(now=night().replace(hour=10))
    assert offer.waitlist_entry == entry


@pytest.mark.usefixtures("quiet_nights")
def test_time_that_is_over_by_the_morning_is_offered_at_night() -> None:
    visit_type, _slots = awaited(count=0)
    in_line(visit_type, count=1)
    (early,) = make_slots(doctor=visit_type.doctor, starts_at=night().replace(hour=4))
    assert len(release(early, now=night())) == 1


@pytest.mark.usefixtures("quiet_nights")
def test_night_is_that_of_the_clinic() -> None:
    auckland = make_clinic(time_zone="Pacific/Auckland", city="Auckland")
    visit_type, (slot,) = awaited(clinic=auckland)
    in_line(visit_type, count=1)
    assert release(slot, now=datetime.combine(night().date(), time(12), tzinfo=UTC)) == []
    assert len(release(slot, now=night())) == 1


def test_look_over_finds_what_no_message_told_of_and_serves_the_first_in_line() -> None:
    visit_type, slots = awaited(count=2)
    line = in_line(visit_type)
    offers = offer_free_times(now=in_daylight())
    assert [(offer.waitlist_entry, offer.starts_at) for offer in offers] == [
        (line[0], slots[0].starts_at),
        (line[1], slots[1].starts_at),
    ]
    assert offer_free_times(now=in_daylight()) == []


def test_look_over_leaves_in_peace_who_did_not_answer_and_asks_on_who_declined() -> None:
    visit_type, _slots = awaited(count=6)
    silent, polite = in_line(visit_type, count=2)
    first, second = offer_free_times(now=in_daylight())
    run_out(first)
    decline_offer(offer_id=second.pk, patient=polite.patient)
    (offer,) = offer_free_times(now=in_daylight())
    assert offer.waitlist_entry == polite
    assert states([silent]) == ["waiting"]


def test_look_over_serves_a_specialty_in_a_city() -> None:
    visit_type, slots = awaited()
    make_slots(doctor=make_doctor(), starts_at=tomorrow_at())
    entry = make_waitlist_entry(doctor=None, specialty=visit_type.doctor.specialty, city="Utrecht")
    (offer,) = offer_free_times(now=in_daylight())
    assert (offer.waitlist_entry, offer.slot_ids) == (entry, [slots[0].pk])


def test_line_is_read_in_batches_without_losing_anybody(monkeypatch) -> None:
    monkeypatch.setattr("bookings.waitlist.selectors.BATCH", 2)
    visit_type, (slot,) = awaited()
    in_line(visit_type, count=5, day_from=time(20))
    (suited,) = in_line(visit_type, count=1)
    WaitlistEntry.objects.filter(pk=suited.pk).update(created_at=timezone.now())
    (offer,) = release(slot)
    assert offer.waitlist_entry == suited


# -- who hears of a release ------------------------------------------------------------------------


def test_each_released_time_costs_two_looks_at_the_line_and_no_more(
    django_assert_num_queries,
) -> None:
    """With doctors, clinics and visit types read at once, by two statements."""
    _visit_type, slots = awaited(count=4)
    for count in (1, 4):
        with django_assert_num_queries(2 + 2 * count):
            assert release(*slots[:count]) == []


def test_release_is_told_only_where_somebody_waits() -> None:
    visit_type, (slot,) = awaited()
    holder = guest()
    release_hold(hold_id=take(slot, visit_type=visit_type, holder=holder).pk, holder=holder)
    assert not OutboxMessage.objects.filter(topic="slot.released").exists()
    in_line(visit_type, count=1)
    make_waitlist_entry(doctor=None, specialty=visit_type.doctor.specialty, city="Leiden")
    release_hold(hold_id=take(slot, visit_type=visit_type, holder=holder).pk, holder=holder)
    message = OutboxMessage.objects.get(topic="slot.released")
    assert message.payload["slot_ids"] == str(slot.pk)


@pytest.mark.parametrize(
    "who", ["left", "another doctor", "left the specialty", "another specialty", "another city"]
)
def test_release_is_not_told_where_nobody_waits_for_it(who: str) -> None:
    visit_type, (slot,) = awaited()
    specialty, there = visit_type.doctor.specialty, {"doctor": None, "city": "Utrecht"}
    others: dict[str, dict[str, Any]] = {
        "left": {"doctor": visit_type.doctor, "state": "withdrawn"},
        "another doctor": {},
        "left the specialty": there | {"specialty": specialty, "state": "withdrawn"},
        "another specialty": there | {"specialty": make_specialty()},
        "another city": there | {"specialty": specialty, "city": "Leiden"},
    }
    make_waitlist_entry(**others[who])
    announce_release(doctor_id=visit_type.doctor_id, slot_ids=[slot.pk])
    assert not OutboxMessage.objects.filter(topic="slot.released").exists()


def test_release_of_nothing_is_told_to_nobody() -> None:
    visit_type, _slots = awaited()
    in_line(visit_type, count=1)
    announce_release(doctor_id=visit_type.doctor_id, slot_ids=[])
    assert not OutboxMessage.objects.filter(topic="slot.released").exists()


def test_release_is_told_to_who_waits_for_the_specialty_in_the_city() -> None:
    visit_type, (slot,) = awaited()
    make_waitlist_entry(doctor=None, specialty=visit_type.doctor.specialty, city="Utrecht")
    holder = guest()
    release_hold(hold_id=take(slot, visit_type=visit_type, holder=holder).pk, holder=holder)
    assert OutboxMessage.objects.filter(topic="slot.released").count() == 1


def test_hold_that_runs_out_goes_to_the_line() -> None:
    visit_type, (slot,) = awaited()
    (entry,) = in_line(visit_type, count=1)
    run_out(take(slot, visit_type=visit_type, holder=guest()))
    assert hear_of_releases() == 1
    assert Hold.objects.get(state=HoldState.HELD).waitlist_entry == entry


def test_cancelled_visit_goes_to_the_line() -> None:
    visit_type, (slot,) = awaited()
    holder = guest()
    visit = book(slot, visit_type=visit_type, holder=holder)
    (entry,) = in_line(visit_type, count=1)
    cancel_appointment(appointment_id=visit.pk, by=holder, version=visit.version, now=in_daylight())
    assert hear_of_releases() == 1
    assert Hold.objects.get(state=HoldState.HELD).waitlist_entry == entry


def test_booked_time_is_offered_to_nobody() -> None:
    visit_type, (slot,) = awaited()
    book(slot, visit_type=visit_type, holder=guest())
    in_line(visit_type, count=1)
    assert release(slot) == []
    assert offer_free_times(now=in_daylight()) == []


# -- one patient with two entries ------------------------------------------------------------------


def two_entries_of_one_patient() -> list[Slot]:
    """With two doctors, who are both free at the same hour."""
    patient, slots = make_patient(), []
    for _ in range(2):
        visit_type, (slot,) = awaited()
        in_line(visit_type, count=1)
        slots.append(slot)
    WaitlistEntry.objects.update(patient=patient)
    return slots


def test_patient_with_two_entries_is_offered_no_two_times_at_one_hour() -> None:
    slots = two_entries_of_one_patient()
    (offer,) = release(*slots)
    assert offer.doctor_id == slots[0].doctor_id
    assert offer_free_times(now=in_daylight()) == []
    decline_offer(offer_id=offer.pk, patient=offer.patient)
    (other,) = release(*slots)
    assert other.doctor_id == slots[1].doctor_id


def test_patient_with_two_entries_has_two_offers_one_after_the_other() -> None:
    slots = two_entries_of_one_patient()
    (following,) = make_slots(doctor=slots[1].doctor, starts_at=slots[0].ends_at)
    assert len(release(slots[0], following)) == 2


def test_patient_who_is_confirming_that_hour_elsewhere_is_passed_over() -> None:
    visit_type, (slot,) = awaited()
    busy, free = in_line(visit_type, count=2)
    elsewhere, (same_hour,) = awaited()
    take(same_hour, visit_type=elsewhere, holder=as_patient(busy.patient))
    (offer,) = release(slot)
    assert offer.waitlist_entry == free


def test_patient_with_as_many_visits_ahead_as_allowed_is_passed_over_after_one_try(
    settings, monkeypatch
) -> None:
    settings.COMING_VISITS_PER_PATIENT = 1
    visit_type, slots = awaited(count=3)
    full, free = in_line(visit_type, count=2)
    make_appointment(
        slots=make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=5)), patient=full.patient
    )
    tried = []

    def counted(**call: object) -> Hold:
        tried.append(call["holder"].patient)
        return hold_slot(**call)

    monkeypatch.setattr("bookings.waitlist.services.offers.hold_slot", counted)
    (offer,) = offer_free_times(now=in_daylight())
    assert (offer.waitlist_entry, offer.starts_at) == (free, slots[0].starts_at)
    assert tried == [full.patient, free.patient]
