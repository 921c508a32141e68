"""A visit keeps what was agreed, even if its visit type and its clinic change."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.alternatives import next_free_times
from bookings.appointments.selectors.appointments import times_to_move_to
from bookings.appointments.services.changes import cancel_appointment
from bookings.appointments.services.moves import move_appointment
from bookings.holding.services.confirmation import confirm_booking
from bookings.invariants.checks import check_invariants
from bookings.models import Appointment, Hold
from docbook.outbox.models import OutboxMessage
from doctors.models import Clinic, Doctor, Mode, VisitType
from tests.bookings.acts import as_patient, attempt, code_of, hold_instead
from tests.bookings.agreements import (
    NEW_WORDS,
    OLD_WORDS,
    Booked,
    booked,
    change_everything,
)
from tests.bookings.receiving import receive
from tests.factories import make_clinic, make_slots, make_user

pytestmark = pytest.mark.django_db


def words(content: str) -> str:
    return re.sub(r"\s+", " ", strip_tags(content)).replace("&amp;", "&")


def doctor_login(visit: Appointment) -> Any:
    user = make_user()
    Doctor.objects.filter(pk=visit.doctor_id).update(user=user)
    return user


def texts_of(made: Booked) -> dict[str, str]:
    """The text that each reader sees."""
    staff = Client()
    staff.force_login(doctor_login(made.visit))
    day = made.visit.starts_at.date()
    pages = {
        "page": made.browser.get(f"/appointments/{made.visit.pk}/"),
        "list": made.browser.get("/appointments/"),
        "cancel": made.browser.get(f"/appointments/{made.visit.pk}/cancel/"),
        "move": made.browser.get(f"/appointments/{made.visit.pk}/reschedule/"),
        "day": staff.get(f"/schedule/?date={day}"),
        "calendar": made.browser.get(f"/appointments/{made.visit.pk}/calendar.ics"),
        "api": made.api.get(f"bookings/{made.visit.pk}"),
        "api list": made.api.get("bookings"),
    }
    assert {name: each.status_code for name, each in pages.items()} == dict.fromkeys(pages, 200)
    return {name: words(each.content.decode()) for name, each in pages.items()}


def test_every_reader_of_a_booked_visit_is_told_what_was_agreed() -> None:
    made = booked()
    before = texts_of(made)
    assert all(word in before["page"] for word in OLD_WORDS)
    change_everything(made.visit)
    after = texts_of(made)
    for name in ("move", "day"):  # these also name the doctor's clinics as they are now
        text = after.pop(name)
        assert any(word in text for word in OLD_WORDS), name
    for name, text in after.items():
        assert [word for word in NEW_WORDS if word in text] == [], name
    for name in ("page", "list", "cancel", "api", "api list"):
        assert after[name] == before[name], name


def test_api_answers_the_same_booking_before_and_after() -> None:
    made = booked()
    before = made.json()
    change_everything(made.visit)
    assert made.json() == before
    assert before["visitType"] == {
        "id": made.visit.visit_type_id, "name": "Skin check", "mode": "in_person", "minutes": 20,
        "priceCents": 4500, "currency": "EUR",
    }  # fmt: skip


def test_calendar_keeps_place_and_length() -> None:
    made = booked()
    change_everything(made.visit)
    event = made.event()
    assert event["LOCATION"] == "Huid & Haar Kliniek, Maliebaan 42, 3581 CR Utrecht"
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(minutes=20)


@pytest.mark.parametrize("topic", ["appointment.confirmed", "appointment.cancelled"])
def test_mails_say_what_was_agreed_though_they_are_sent_later(topic: str) -> None:
    made = booked()
    change_everything(made.visit)
    if topic == "appointment.cancelled":
        cancel_appointment(
            appointment_id=made.visit.pk, by=as_patient(made.patient), version=1, now=timezone.now()
        )
    receive(topic)
    (sent,) = mail.outbox
    for text in (sent.body, words(str(sent.alternatives[0][0]))):
        assert "Skin check, in person, 20 minutes, €45" in " ".join(text.split())
        assert [word for word in NEW_WORDS if word in text] == []


def test_number_of_the_clinic_is_the_present_one() -> None:
    """An old number would not ring."""
    made = booked()
    Clinic.objects.filter(pk=made.visit.clinic_id).update(phone="+31 30 555 9999")
    assert "+31 30 555 9999" in texts_of(made)["page"]


def held(made: Booked, *, move: bool) -> Hold:
    if move:
        return hold_instead(made.visit, made.slots[4])
    return attempt(made.slots[4], visit_type=made.visit.visit_type, holder=as_patient(made.patient))


def test_what_was_shown_while_it_was_held_is_what_is_booked() -> None:
    made = booked()
    hold = held(made, move=False)
    shown = words(made.browser.get(f"/book/{hold.pk}/code/").content.decode())
    change_everything(made.visit)
    assert words(made.browser.get(f"/book/{hold.pk}/code/").content.decode()) == shown
    confirm_booking(hold_id=hold.pk, holder=as_patient(made.patient), code=code_of(hold))
    again = Booked(Appointment.objects.get(pk=hold.pk), made.slots, made.patient)
    page = words(again.browser.get(f"/appointments/{hold.pk}/").content.decode())
    assert all(word in page for word in OLD_WORDS)


def move_by(who: str, made: Booked, *, to: int) -> Appointment:
    if who == "patient":
        hold = hold_instead(made.visit, made.slots[to])
        return confirm_booking(hold_id=hold.pk, holder=as_patient(made.patient), code=code_of(hold))
    return move_appointment(
        appointment_id=made.visit.pk,
        slot_id=made.slots[to].pk,
        by=PracticeMember(doctor_login(made.visit)),
        version=1,
        reason="She operates",
        now=timezone.now(),
    )


@pytest.mark.parametrize("who", ["patient", "practice"])
def test_visit_that_moves_keeps_what_was_agreed_and_goes_to_the_new_place(who: str) -> None:
    made = booked()
    change_everything(made.visit)
    new = move_by(who, made, to=4)
    assert (new.visit_name, new.mode, new.price_cents, new.currency, new.agreed.minutes) == (
        "Skin check", "in_person", 4500, "EUR", 20,
    )  # fmt: skip
    assert (new.place.name, new.place.street, new.time_zone) == (
        "Zzz Hospital", "Zzz Street 1", "Pacific/Auckland",
    )  # fmt: skip
    assert Hold.objects.get(pk=new.pk).slot_ids == [made.slots[4].pk]
    assert [each.code for each in check_invariants() if each.is_broken] == []


@pytest.mark.parametrize("who", ["patient", "practice"])
def test_long_visit_moves_by_its_own_length_though_the_reason_takes_less_now(who: str) -> None:
    made = booked(slots=3)
    VisitType.objects.filter(pk=made.visit.visit_type_id).update(slots=1)
    new = move_by(who, made, to=4)
    assert new.agreed.minutes == 60
    assert Hold.objects.get(pk=new.pk).slot_ids == [slot.pk for slot in made.slots[4:7]]


@pytest.mark.parametrize(("agreed", "now_takes"), [(1, 3), (3, 1), (2, 2)])
def test_times_to_move_to_are_those_for_the_agreed_length(agreed: int, now_takes: int) -> None:
    made = booked(slots=agreed)
    VisitType.objects.filter(pk=made.visit.visit_type_id).update(slots=now_takes, mode=Mode.VIDEO)
    visit = Appointment.objects.get(pk=made.visit.pk)
    start = visit.starts_at
    free = times_to_move_to(visit, start=start, end=start + timedelta(days=1), now=timezone.now())
    expected = [slot.starts_at for slot in made.slots[1 : 9 - agreed]]
    assert [each.starts_at for each in free] == expected
    assert {each.ends_at - each.starts_at for each in free} == {timedelta(minutes=20 * agreed)}
    instead = next_free_times(
        slot_id=made.slots[3].pk, visit_type_id=visit.visit_type_id, moves=visit.pk,
        now=timezone.now(),
    )  # fmt: skip
    assert instead is not None
    assert {each.ends_at - each.starts_at for each in instead.times} == {
        timedelta(minutes=20 * agreed)
    }
    last = made.slots[8 - agreed]
    page = made.browser.get(f"/appointments/{visit.pk}/reschedule/?date={start.date()}")
    assert f'value="{last.pk}"' in page.content.decode()
    assert hold_instead(visit, last).slot_ids[0] == last.pk


def test_agreed_mode_decides_which_times_a_visit_may_move_to() -> None:
    """Agreed in person. The visit type is by video now, and some of the times are by video only."""
    made = booked()
    video = make_slots(
        doctor=made.visit.doctor, clinic=make_clinic(), mode=Mode.VIDEO, count=1,
        starts_at=made.slots[-1].ends_at,
    )  # fmt: skip
    change_everything(made.visit)
    visit = Appointment.objects.get(pk=made.visit.pk)
    start = visit.starts_at
    free = times_to_move_to(visit, start=start, end=start + timedelta(days=1), now=timezone.now())
    assert [each.slot_id for each in free] == [slot.pk for slot in made.slots[1:]]
    assert video[0].pk not in {each.slot_id for each in free}


def test_grid_that_became_coarser_gives_at_least_the_agreed_time() -> None:
    made = booked(slots=3)
    doctor = made.visit.doctor
    Doctor.objects.filter(pk=doctor.pk).update(slot_minutes=40)
    doctor.refresh_from_db()
    coarse = make_slots(
        doctor=doctor, clinic=made.visit.clinic, count=3,
        starts_at=made.slots[-1].ends_at + timedelta(hours=1),
    )  # fmt: skip
    hold = hold_instead(Appointment.objects.get(pk=made.visit.pk), coarse[0])
    assert hold.slot_ids == [slot.pk for slot in coarse[:2]]


def test_row_of_an_older_release_is_filled_in_from_the_tables() -> None:
    made = booked()
    Appointment.objects.filter(pk=made.visit.pk).update(version=2, time_zone="", visit_name="x")
    found = Appointment.objects.get(pk=made.visit.pk)
    assert (found.visit_name, found.time_zone) == ("Skin check", "Europe/Amsterdam")
    assert OutboxMessage.objects.filter(topic="appointment.confirmed").count() == 1
