"""What the small functions of the database answer at their edges, asked one by one."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import CodeGuesses
from bookings.errors import SlotTaken
from bookings.models import Appointment, Hold, PatientVisit
from docbook.http.models import IdempotencyRecord
from docbook.outbox.models import OutboxMessage
from docbook.postgres.rows import rows_of
from doctors.models import Clinic, Slot, SlotState, VisitType
from tests.bookings.acts import (
    as_patient,
    book,
    bookable,
    guest,
    hold_instead,
    let_expire,
    take,
)
from tests.factories import (
    make_appointment,
    make_clinic,
    make_doctor,
    make_hold,
    make_patient,
    make_slots,
    make_visit_type,
    make_waitlist_entry,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db

NOW = tomorrow_at(12)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
GONE = UUID(int=0)


# -- guesses --


def guesses(count: int, *, since: datetime, guesser: str = "net", target: str = "box") -> None:
    CodeGuesses.objects.create(target=target, guesser=guesser, count=count, since=since)


def wait(*guessers: str, most: int = 10, target: str = "box") -> int:
    sql = "SELECT bookings_guesses_wait(target_ => %s, guessers => %s, most => %s, at_ => %s)"
    [(seconds,)] = rows_of(sql, target, list(guessers), [most] * len(guessers), NOW)
    return int(seconds)


def test_nobody_waits_before_the_last_guess_is_used_up() -> None:
    guesses(9, since=NOW - SECOND)
    assert wait("net") == 0
    CodeGuesses.objects.update(count=10)
    assert wait("net") == DAY.total_seconds() - 1


def test_wait_ends_a_day_after_the_first_guess() -> None:
    guesses(10, since=NOW - DAY)
    assert wait("net") == 0
    CodeGuesses.objects.update(since=NOW - DAY + timedelta(milliseconds=1500))
    assert wait("net") == 2  # whole seconds, and not one too few


def test_the_longest_wait_of_several_guessers_counts_and_nobody_elses() -> None:
    guesses(10, since=NOW - timedelta(hours=20))
    guesses(12, since=NOW - timedelta(hours=2), guesser="browser")
    guesses(12, since=NOW, guesser="somebody else")
    guesses(12, since=NOW, target="another box")
    assert wait("net", "browser") == 22 * 3600
    assert wait("net") == 4 * 3600
    assert wait("a third") == 0


def test_each_guesser_has_a_limit_of_its_own() -> None:
    guesses(10, since=NOW, guesser="many")
    guesses(3, since=NOW - DAY / 2, guesser="few")
    sql = "SELECT bookings_guesses_wait('box', ARRAY['many', 'few'], ARRAY[11, 3], %s)"
    assert rows_of(sql, NOW) == [(12 * 3600,)]


def count_guess(*guessers: str, target: str = "box", at: datetime = NOW) -> None:
    rows_of("SELECT bookings_count_guess(%s, %s, %s)::text", target, list(guessers), at)


def counted() -> list[tuple[str, str, int, datetime]]:
    rows = CodeGuesses.objects.order_by("target", "guesser")
    return [(each.target, each.guesser, each.count, each.since) for each in rows]


def test_first_guess_begins_the_day_and_the_next_ones_count_in_it() -> None:
    count_guess("net", "browser")
    count_guess("net", at=NOW + timedelta(hours=3))
    assert counted() == [("box", "browser", 1, NOW), ("box", "net", 2, NOW)]


def test_day_of_guesses_begins_anew_when_it_is_over() -> None:
    count_guess("net")
    count_guess("net", at=NOW + DAY - SECOND)
    assert counted() == [("box", "net", 2, NOW)]
    count_guess("net", at=NOW + DAY)
    assert counted() == [("box", "net", 1, NOW + DAY)]


def test_guess_at_nothing_is_not_counted() -> None:
    count_guess("net", target="")
    assert counted() == []


# -- a patient's other visits --


def visit_at(starts_at: datetime, *, patient: Any, slots: int = 1, **doctor: Any) -> Appointment:
    found = make_slots(doctor=make_doctor(**doctor), starts_at=starts_at, count=slots)
    return make_appointment(slots=found, patient=patient)


def others(
    patient: Any, start: datetime, end: datetime, *, apart_from: UUID = GONE, at: datetime = NOW
) -> tuple[UUID | None, datetime | None, int]:
    sql = """
        SELECT busy_id, busy_from, ahead FROM bookings_other_visits_of(
            patient => %s, from_ => %s, until_ => %s, apart_from => %s, at_ => %s)
    """
    [found] = rows_of(sql, patient.pk, start, end, apart_from, at)
    return found


def test_visit_keeps_its_patient_busy_from_its_start_to_its_end_and_not_a_moment_longer() -> None:
    patient, minute = make_patient(), timedelta(minutes=1)
    visit = visit_at(tomorrow_at(14), patient=patient)
    start, end = visit.starts_at, visit.ends_at
    busy = (visit.pk, start)
    assert others(patient, start - minute, start)[:2] == (None, None)
    assert others(patient, end, end + minute)[:2] == (None, None)
    assert others(patient, start - minute, start + SECOND)[:2] == busy
    assert others(patient, end - SECOND, end + minute)[:2] == busy
    assert others(patient, start + SECOND, end - SECOND)[:2] == busy
    assert others(make_patient(), start, end)[:2] == (None, None)


def test_visit_itself_does_not_keep_its_patient_busy() -> None:
    patient = make_patient()
    visit = visit_at(tomorrow_at(14), patient=patient)
    assert others(patient, visit.starts_at, visit.ends_at, apart_from=visit.pk) == (None, None, 1)


def test_first_of_two_visits_in_the_way_is_named() -> None:
    patient = make_patient()
    later = visit_at(tomorrow_at(15), patient=patient)
    first = visit_at(tomorrow_at(14), patient=patient)
    busy, since, _ahead = others(patient, first.starts_at, later.ends_at)
    assert (busy, since) == (first.pk, first.starts_at)
    busy, since, _ahead = others(patient, first.starts_at, later.ends_at, apart_from=first.pk)
    assert (busy, since) == (later.pk, later.starts_at)


def test_longest_visit_that_has_begun_long_ago_is_still_seen() -> None:
    """Twelve slots of four hours: nothing is longer."""
    patient = make_patient()
    visit = visit_at(tomorrow_at(8), patient=patient, slots=12, slot_minutes=240)
    last = visit.ends_at - timedelta(minutes=1)
    busy, _since, ahead = others(patient, last, visit.ends_at, at=last)
    assert (busy, ahead) == (visit.pk, 0)


def test_visits_ahead_are_those_that_have_not_begun() -> None:
    patient = make_patient()
    visit_at(tomorrow_at(9), patient=patient)
    visit_at(tomorrow_at(9, days=5), patient=patient)
    visit = visit_at(tomorrow_at(14), patient=patient)
    far = tomorrow_at(10, days=9)
    assert others(patient, far, far + SECOND, at=visit.starts_at - SECOND)[2] == 2
    assert others(patient, far, far + SECOND, at=visit.starts_at)[2] == 1


# -- what belongs to a hold --


def has_its_slots(hold: Hold, *, at: datetime | None = None) -> bool:
    sql = "SELECT bookings_has_its_slots(hold, %s) FROM bookings_hold AS hold WHERE id = %s"
    [(answer,)] = rows_of(sql, at or timezone.now(), hold.pk)
    return bool(answer)


def test_hold_has_its_slots_while_all_are_held_for_it_and_live() -> None:
    slots = make_slots(doctor=make_doctor(), count=2)
    hold = make_hold(slots=slots)
    assert has_its_slots(hold)
    assert has_its_slots(hold, at=hold.expires_at - SECOND)
    assert not has_its_slots(hold, at=hold.expires_at)


@pytest.mark.parametrize(
    "change",
    [
        {"state": SlotState.OPEN, "hold_id": None, "held_until": None},
        {"hold_id": UUID(int=1)},
    ],
)
def test_hold_that_has_lost_one_of_its_slots_has_not_its_slots(change: dict[str, Any]) -> None:
    slots = make_slots(doctor=make_doctor(), count=2)
    hold = make_hold(slots=slots)
    Slot.objects.filter(pk=slots[1].pk).update(**change)
    assert not has_its_slots(hold)


def test_slots_of_the_visit_that_moves_belong_to_its_hold_while_they_are_booked_for_it() -> None:
    visit_type, slots = bookable(count=4, slots=2)
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(make_patient()))
    hold = hold_instead(visit, slots[1])
    assert hold.slot_ids == [slots[1].pk, slots[2].pk]
    assert has_its_slots(hold)
    Slot.objects.filter(pk=slots[1].pk).update(hold_id=UUID(int=1))
    assert not has_its_slots(hold)


def test_place_after_a_visit_ends_where_the_doctor_sees_nobody() -> None:
    visit_type, slots = bookable(count=4)
    VisitType.objects.filter(pk=visit_type.pk).update(buffer_slots=2)
    visit_type.refresh_from_db()
    Slot.objects.filter(pk=slots[1].pk).update(state=SlotState.BLOCKED)
    assert take(slots[0], visit_type=visit_type, holder=guest()).slot_ids == [slots[0].pk]


def test_cancelled_visit_frees_its_own_time_and_no_other() -> None:
    patient = make_patient()
    first = visit_at(tomorrow_at(14), patient=patient)
    second = visit_at(tomorrow_at(15), patient=patient)
    stranger = visit_at(tomorrow_at(14), patient=make_patient())
    Appointment.objects.filter(pk=first.pk).update(status="cancelled", version=F("version") + 1)
    kept = PatientVisit.objects.values_list("appointment_id", flat=True)
    assert set(kept) == {second.pk, stranger.pk}


# -- the visits of a day --


def test_day_is_full_with_what_is_booked_and_held_and_free_again_when_a_hold_ends() -> None:
    visit_type, slots = bookable(count=5, most_visits_a_day=2)
    patient = make_patient()
    visit = book(slots[0], visit_type=visit_type, holder=as_patient(patient))
    hold = take(slots[1], visit_type=visit_type, holder=guest())
    with pytest.raises(SlotTaken):
        take(slots[2], visit_type=visit_type, holder=guest())
    assert hold_instead(visit, slots[3]).slot_ids == [slots[3].pk]  # one goes, one comes
    let_expire(hold)
    Hold.objects.filter(replaces=visit.pk).delete()
    Slot.objects.filter(pk=slots[3].pk).update(state=SlotState.OPEN, hold_id=None, held_until=None)
    assert take(slots[2], visit_type=visit_type, holder=guest())


# -- messages --


def test_message_is_from_the_moment_when_it_was_written_not_from_the_beginning() -> None:
    [(began,)] = rows_of("SELECT now()")
    rows_of("SELECT outbox_publish(ARRAY[ROW('topic', 'about', '{}')::outbox_fact])::text")
    message = OutboxMessage.objects.get()
    assert began < message.created_at <= message.next_attempt_at
    sql = "SELECT http_keep_outcomes(ARRAY[ROW(%s, 'key', '', '', 201, '{}')::http_outcome])::text"
    rows_of(sql, make_patient().pk)
    assert IdempotencyRecord.objects.get().created_at > message.next_attempt_at


def test_freed_slots_are_told_in_their_order() -> None:
    entry = make_waitlist_entry()
    sql = "SELECT bookings_announce_release(%s, ARRAY[12, 3, 7]::bigint[])::text"
    rows_of(sql, entry.doctor_id)
    assert OutboxMessage.objects.get(topic="slot.released").payload["slot_ids"] == "3,7,12"


# -- expired holds --


def test_new_hold_on_a_part_of_an_expired_one_opens_the_rest_and_leaves_others_alone() -> None:
    visit_type, slots = bookable(count=6, slots=2)
    old = take(slots[0], visit_type=visit_type, holder=guest())
    other = take(slots[4], visit_type=visit_type, holder=guest())
    let_expire(old)
    let_expire(other)
    new = take(slots[1], visit_type=visit_type, holder=guest())
    found = {slot.pk: slot for slot in Slot.objects.all()}
    first = found[slots[0].pk]
    assert (first.state, first.hold_id, first.held_until) == ("open", None, None)
    assert [found[slots[n].pk].hold_id for n in (1, 2)] == [new.pk, new.pk]
    assert [found[slots[n].pk].hold_id for n in (4, 5)] == [other.pk, other.pk]
    old.refresh_from_db()
    other.refresh_from_db()
    assert (old.state, other.state) == ("expired", "held")


# -- months of the appointments --


def make_month(month: date) -> bool:
    [(made,)] = rows_of("SELECT bookings_make_appointment_month(%s)", month)
    return bool(made)


def bounds(name: str) -> str:
    sql = "SELECT pg_get_expr(relpartbound, oid, true) FROM pg_class WHERE relname = %s"
    [(text,)] = rows_of(sql, name)
    return str(text)


def test_month_is_made_once_from_any_of_its_days() -> None:
    assert make_month(date(2041, 12, 17))
    assert not make_month(date(2041, 12, 1))
    assert not make_month(date(2041, 12, 31))
    with transaction.atomic():
        rows_of("SELECT set_config('TimeZone', 'UTC', true)")
        text = bounds("bookings_appointment_2041_12")
    assert text == "FOR VALUES FROM ('2041-12-01 00:00:00+00') TO ('2042-01-01 00:00:00+00')"


def test_month_has_the_index_that_refuses_two_visits_of_a_doctor_at_one_start() -> None:
    make_month(date(2041, 11, 5))
    sql = """
        SELECT indexname, indexdef FROM pg_indexes
        WHERE tablename = %s AND indexname LIKE 'one_%%'
    """
    [(name, definition)] = rows_of(sql, "bookings_appointment_2041_11")
    assert name == "one_active_appointment_per_doctor_and_start_2041_11"
    assert "UNIQUE" in definition
    assert "(doctor_id, starts_at)" in definition
    for status in ("confirmed", "arrived", "completed", "no_show"):
        assert f"'{status}'" in definition
    assert "cancelled" not in definition


def as_somebody_who_serves(month: date) -> bool:
    """In a session of a role that may call the function and owns nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL SESSION AUTHORIZATION who_serves")
        try:
            with transaction.atomic():
                return make_month(month)
        finally:
            cursor.execute("RESET SESSION AUTHORIZATION")


def test_those_who_serve_make_months_within_two_years_only() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE who_serves")
        cursor.execute("GRANT EXECUTE ON FUNCTION bookings_make_appointment_month TO who_serves")
    today = timezone.now().date()
    for days in (-700, 0, 700):
        as_somebody_who_serves(today + timedelta(days=days))
    for days in (-800, 800):
        with pytest.raises(DatabaseError, match="more than two years away") as refused:
            as_somebody_who_serves(today + timedelta(days=days))
        assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


# -- what was agreed --


def somewhere() -> Clinic:
    return make_clinic(
        name="By the Dom",
        street="Domplein 1",
        postcode="3512 JC",
        city="Utrecht",
        country="NL",
        directions="Second floor",
        time_zone="Europe/Amsterdam",
    )


def test_row_that_says_nothing_of_what_was_agreed_is_filled_in() -> None:
    doctor, clinic = make_doctor(), somewhere()
    slots = make_slots(doctor=doctor, clinic=clinic)
    check = make_visit_type(
        doctor=doctor, name="Check", mode="video", price_cents=4500, currency="CHF"
    )
    hold = make_hold(slots=slots, visit_type=check)
    hold.refresh_from_db()
    assert (hold.visit_name, hold.mode) == ("Check", "video")
    assert (hold.price_cents, hold.currency) == (4500, "CHF")
    kept = ("street", "postcode", "city", "country", "directions", "time_zone")
    assert hold.place_name == clinic.name
    assert [getattr(hold, name) for name in kept] == [getattr(clinic, name) for name in kept]


def test_price_that_a_row_says_stays() -> None:
    doctor = make_doctor()
    check = make_visit_type(doctor=doctor, price_cents=4500, currency="CHF")
    hold = make_hold(
        slots=make_slots(doctor=doctor), visit_type=check, price_cents=100, currency="EUR"
    )
    hold.refresh_from_db()
    assert (hold.price_cents, hold.currency) == (100, "EUR")


def test_row_of_a_move_keeps_what_was_agreed_for_the_same_visit_only() -> None:
    doctor = make_doctor()
    slots = make_slots(doctor=doctor, count=3)
    check = make_visit_type(doctor=doctor, name="Check", price_cents=4500, currency="CHF")
    other = make_visit_type(doctor=doctor, name="Other", price_cents=9900, currency="EUR")
    visit = make_appointment(slots=slots[:1], visit_type=check)
    make_appointment(
        slots=make_slots(doctor=doctor, starts_at=tomorrow_at(days=9)), visit_type=check
    )
    VisitType.objects.filter(pk=check.pk).update(name="Now dearer", price_cents=7000)
    same = make_hold(slots=slots[1:2], visit_type=check, replaces=visit.pk)
    another = make_hold(slots=slots[2:3], visit_type=other, replaces=visit.pk)
    new = make_hold(
        slots=make_slots(doctor=doctor, starts_at=tomorrow_at(days=10)), visit_type=check
    )
    said = [
        (each.visit_name, each.price_cents, each.currency)
        for each in Hold.objects.filter(pk__in=[same.pk, another.pk, new.pk]).order_by("starts_at")
    ]
    assert said == [("Check", 4500, "CHF"), ("Other", 9900, "EUR"), ("Now dearer", 7000, "CHF")]
