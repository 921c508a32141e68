"""Two accounts of one patient become one, and two again."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import PatientMerge, User
from accounts.services import patient_with_proven_email
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment
from bookings.invariants.checks import check_invariants
from bookings.merging.selectors import possible_duplicates
from bookings.merging.services import merge_patients, undo_merge
from bookings.models import Appointment, Hold, PatientVisit, WaitlistEntry
from docbook.audit.models import AuditEvent
from docbook.audit.services import Actor
from docbook.errors import FieldError, NotFound
from tests.factories import (
    make_admin,
    make_appointment,
    make_doctor,
    make_hold,
    make_patient,
    make_secretary,
    make_slots,
    make_user,
    make_waitlist_entry,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


def visit_of(patient: User, *, days: int = 2, **fields) -> Appointment:
    slots = make_slots(doctor=make_doctor(), starts_at=tomorrow_at(days=days))
    return make_appointment(slots=slots, patient=patient, **fields)


def merge(kept: User, merged: User, *, now=None) -> PatientMerge:
    by = Actor("staff", make_admin().pk)
    return merge_patients(kept_id=kept.pk, merged_id=merged.pk, by=by, now=now or timezone.now())


def undo(done: PatientMerge, *, later: timedelta = timedelta(hours=1)) -> int:
    by = Actor("staff", make_admin().pk)
    return undo_merge(merge_id=done.pk, by=by, now=done.merged_at + later)


def broken_promises() -> dict[str, int]:
    """How many rows break each: the factories leave out the audit of what they make."""
    return {each.code: each.finding.count for each in check_invariants() if each.finding}


def owners(*rows) -> set[int]:
    return {type(row).objects.get(pk=row.pk).patient_id for row in rows}


@pytest.mark.django_db(transaction=True)  # the promises are read in a snapshot
def test_everything_moves_to_the_one_who_stays() -> None:
    kept, merged = make_patient(), make_patient()
    ahead, past = visit_of(merged), visit_of(merged, days=-40, status="completed")
    entry = make_waitlist_entry(patient=merged)
    before = broken_promises()
    done = merge(kept, merged)
    assert owners(ahead, past, entry) == {kept.pk}
    assert set(Hold.objects.values_list("patient_id", flat=True)) == {kept.pk}
    assert set(PatientVisit.objects.values_list("patient_id", flat=True)) == {kept.pk}
    merged.refresh_from_db()
    assert not merged.is_active
    assert (done.kept, done.merged) == (kept, merged)
    event = AuditEvent.objects.get(action="patient.merged")
    assert (event.object_id, event.after["kept"]) == (str(merged.pk), kept.pk)
    assert broken_promises() == before


def test_what_was_agreed_and_who_comes_stay() -> None:
    visit = visit_of(make_patient(first_name="Ana"))
    before = Appointment.objects.values().get(pk=visit.pk)
    kept = make_patient(first_name="Anna")
    merge(kept, visit.patient)
    assert Appointment.objects.values().get(pk=visit.pk) == before | {"patient_id": kept.pk}


def test_missing_details_are_filled_in_and_others_stay() -> None:
    kept = make_patient(phone="", born_on=date(1980, 1, 2))
    merge(kept, make_patient(phone="+31 6 5550 1234", born_on=date(1990, 1, 2)))
    kept.refresh_from_db()
    assert (kept.phone, kept.born_on) == ("+31 6 5550 1234", date(1980, 1, 2))


@pytest.mark.django_db(transaction=True)  # the promises are read in a snapshot
def test_undo_puts_everything_back() -> None:
    kept = make_patient(phone="")
    merged = make_patient(phone="+31 6 5550 1234")
    own, visit, entry = (
        visit_of(kept, days=5),
        visit_of(merged),
        make_waitlist_entry(patient=merged),
    )
    before = broken_promises()
    assert undo(merge(kept, merged)) == 0
    assert owners(visit, entry) == {merged.pk}
    assert owners(own) == {kept.pk}
    assert Hold.objects.get(pk=visit.pk).patient_id == merged.pk
    assert PatientVisit.objects.get(appointment_id=visit.pk).patient_id == merged.pk
    merged.refresh_from_db()
    kept.refresh_from_db()
    assert (merged.is_active, kept.phone) == (True, "")
    assert AuditEvent.objects.filter(action="patient.parted").exists()
    assert broken_promises() == before
    assert merge(kept, merged).undone_at is None  # and once more


@pytest.mark.django_db(transaction=True)  # the promises are read in a snapshot
def test_undo_leaves_what_has_changed_since() -> None:
    kept, merged = make_patient(), make_patient()
    changed, other = visit_of(merged), visit_of(merged, days=3)
    done = merge(kept, merged)
    secretary = PracticeMember(make_secretary(doctor=changed.doctor))
    cancel_appointment(
        appointment_id=changed.pk, by=secretary, version=1, now=timezone.now(), reason="ill"
    )
    before = broken_promises()
    assert undo(done) == 1
    assert owners(changed, Hold.objects.get(pk=changed.pk)) == {kept.pk}
    assert owners(other, Hold.objects.get(pk=other.pk)) == {merged.pk}
    assert broken_promises() == before


def test_one_wish_of_both_is_one_wish_and_two_again() -> None:
    kept, merged = make_patient(), make_patient()
    first = make_waitlist_entry(patient=kept)
    same = {"doctor": first.doctor, "visit_type": first.visit_type}
    second = make_waitlist_entry(patient=merged, **same)
    done = merge(kept, merged)
    states = WaitlistEntry.objects.filter(patient=kept).values_list("pk", "state")
    assert dict(states) == {first.pk: "waiting", second.pk: "ended"}
    undo(done)
    second.refresh_from_db()
    assert (second.patient, second.state) == (merged, "waiting")


def without_address(patient: User) -> User:
    patient.email = None
    patient.save()
    return patient


def same_account() -> tuple[User, User]:
    patient = make_patient()
    return patient, patient


def closed() -> tuple[User, User]:
    return make_patient(), make_patient(is_active=False)


def a_doctor() -> tuple[User, User]:
    return make_patient(), make_doctor(user=make_user()).user


def only_the_other_has_an_address() -> tuple[User, User]:
    return without_address(make_patient()), make_patient()


def booking() -> tuple[User, User]:
    hold = make_hold(slots=make_slots(doctor=make_doctor()))
    return make_patient(), hold.patient


def both_at_one_time() -> tuple[User, User]:
    return visit_of(make_patient()).patient, visit_of(make_patient()).patient


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (same_account, "same"),
        (closed, "closed"),
        (a_doctor, "staff"),
        (only_the_other_has_an_address, "keep-address"),
        (booking, "booking"),
        (both_at_one_time, "overlap"),
    ],
)
def test_refusals_change_nothing(make, code) -> None:
    kept, merged = make()
    was_active = merged.is_active
    with pytest.raises(FieldError) as refusal:
        merge(kept, merged)
    assert refusal.value.field_code == code
    merged.refresh_from_db()
    assert merged.is_active == was_active
    assert not PatientMerge.objects.exists()


def test_overlap_names_both_visits() -> None:
    one, other = visit_of(make_patient()), visit_of(make_patient())
    with pytest.raises(FieldError) as refusal:
        merge(one.patient, other.patient)
    assert str(one.doctor) in str(refusal.value)
    assert str(other.doctor) in str(refusal.value)


def test_unknown_accounts_are_not_found() -> None:
    with pytest.raises(NotFound):
        merge_patients(
            kept_id=make_patient().pk, merged_id=0, by=Actor("staff"), now=timezone.now()
        )
    with pytest.raises(NotFound):
        undo_merge(merge_id=0, by=Actor("staff"), now=timezone.now())


@pytest.mark.parametrize("hours", [24, 25])
def test_undo_comes_too_late_after_a_day(hours) -> None:
    done = merge(make_patient(), make_patient())
    with pytest.raises(FieldError) as refusal:
        undo(done, later=timedelta(hours=hours))
    assert refusal.value.field_code == "too-late"


def test_undo_happens_once() -> None:
    done = merge(make_patient(), make_patient())
    undo(done)
    with pytest.raises(FieldError) as refusal:
        undo(done)
    assert refusal.value.field_code == "undone"


def test_a_proven_address_of_the_one_who_went_leads_to_the_one_who_stays() -> None:
    last, kept, merged = make_patient(), make_patient(), make_patient(email="old@mail.test")
    merge(kept, merged)
    merge(last, kept)
    given = {"first_name": "A", "last_name": "B", "phone": ""}
    assert patient_with_proven_email(email="old@mail.test", **given) == last


@pytest.mark.parametrize(
    ("one", "other", "reasons"),
    [
        ({"phone": "+31 6 5550 1234"}, {"phone": "06-5550 1234"}, ["number"]),
        ({"email": "a@mail.test"}, {"email": "a+clinic@mail.test"}, ["mailbox"]),
        (
            {"first_name": "Zoë", "last_name": "Vos", "born_on": date(1980, 1, 2)},
            {"first_name": "zoe", "last_name": "VOS", "born_on": date(1980, 1, 2)},
            ["birthday"],
        ),
    ],
    ids=["number", "mailbox", "birthday"],
)
def test_pairs_are_found_by_what_they_share(one, other, reasons) -> None:
    make_patient(phone="", born_on=date(1980, 1, 2))
    pair = make_patient(**({"phone": ""} | one)), make_patient(**({"phone": ""} | other))
    visit_of(pair[0])
    [found] = possible_duplicates(now=timezone.now())
    assert (found.one.id, found.other.id) == tuple(each.pk for each in pair)
    assert (found.reasons, found.one.visits, found.one.ahead) == (reasons, 1, 1)


def test_those_with_similar_names_come_first() -> None:
    family = [make_patient(first_name=name, phone="030 555 1234") for name in ("Bo", "Ali", "Bob")]
    found = possible_duplicates(now=timezone.now())
    assert len(found) == 3
    assert (found[0].one.id, found[0].other.id) == (family[0].pk, family[2].pk)


def test_staff_closed_accounts_and_empty_details_are_no_pairs() -> None:
    for fields in ({"is_active": False}, {"is_staff": True}, {}):
        make_user(phone="+31 6 5550 1234", **fields)
    for _ in range(2):
        without_address(make_patient(phone="", first_name="", last_name=""))
        make_patient(phone="112")
    assert possible_duplicates(now=timezone.now()) == []


def test_finding_pairs_asks_three_questions_however_many_there_are(
    django_assert_max_num_queries,
) -> None:
    for number in range(12):
        make_patient(phone=f"+31 6 5550 12{number // 2:02}")
    with django_assert_max_num_queries(6):  # with those of the transaction
        assert len(possible_duplicates(now=timezone.now())) == 6
