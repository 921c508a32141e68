"""Who has a hold: Python decides for reads, and the database for changes."""

from itertools import product
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from bookings.actors.holder import Holder
from bookings.errors import NotChangeable
from bookings.holding.services.codes import Details, request_code
from bookings.holding.services.confirmation import confirm_booking
from bookings.holding.services.holds import hold_slot
from bookings.models import Appointment, Hold
from docbook.errors import FieldError
from tests.bookings.acts import bookable, code_of, guest, take
from tests.factories import make_patient, make_slots, tomorrow_at

pytestmark = pytest.mark.django_db

GUESTS = [None, UUID(int=1), UUID(int=2)]


def told_by_the_database(hold: Hold, holder: Holder) -> bool:
    patient = holder.patient.pk if holder.patient else None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bookings_owns(bookings_hold, %s, %s) FROM bookings_hold WHERE id = %s",
            [patient, holder.guest_key, hold.pk],
        )
        return bool(cursor.fetchone()[0])


def test_python_and_the_database_agree_on_everybody() -> None:
    visit_type, slots = bookable(count=1)
    hold = take(slots[0], visit_type=visit_type, holder=guest())
    patients: list[User | None] = [None, make_patient(), make_patient()]
    seen = []
    for of_patient, of_guest in product(patients[:2], GUESTS[:2]):
        if of_patient is None and of_guest is None:
            continue  # a hold has one of them at least
        Hold.objects.filter(pk=hold.pk).update(patient=of_patient, guest_key=of_guest)
        hold.refresh_from_db()
        for patient, key in product(patients, GUESTS):
            holder = Holder(patient=patient, guest_key=key)
            assert told_by_the_database(hold, holder) == holder.owns(hold), (hold, holder)
            seen.append(holder.owns(hold))
    assert {True, False} == set(seen)


def test_guest_whose_hold_was_given_to_an_account_keeps_it_and_others_do_not() -> None:
    key, owner, other = uuid4(), make_patient(), make_patient()
    hold = Hold(guest_key=key, patient=owner)
    assert Holder(guest_key=key).owns(hold)
    assert Holder(patient=owner).owns(hold)
    assert Holder(patient=owner, guest_key=key).owns(hold)
    assert not Holder(patient=other, guest_key=key).owns(hold)
    assert not Holder(guest_key=uuid4()).owns(hold)


def test_visit_of_one_account_is_not_moved_by_the_code_to_another_address() -> None:
    """Even if the details came in another way than today: the confirmation checks."""
    visit_type, _tomorrow = bookable(count=0, change_notice_minutes=0)
    slots = make_slots(doctor=visit_type.doctor, starts_at=tomorrow_at(days=3), count=4)
    holder, now = guest(), timezone.now()

    def attempt(slot, *, email, replaces=None) -> Hold:
        hold = hold_slot(
            slot_id=slot.pk, visit_type_id=visit_type.pk, holder=holder, replaces=replaces, now=now
        )
        details = Details("Ana", "Horvat", email)
        return request_code(hold_id=hold.pk, holder=holder, details=details, now=now)

    old = attempt(slots[0], email="ana@example.test")
    visit = confirm_booking(hold_id=old.pk, holder=holder, code=code_of(old))
    with pytest.raises(FieldError) as refusal:
        attempt(slots[2], email="other@example.test", replaces=visit.pk)
    assert (refusal.value.field, refusal.value.field_code) == ("email", "other-address")
    hold = Hold.objects.get(replaces=visit.pk)
    request_code(
        hold_id=hold.pk,
        holder=holder,
        details=Details("Ana", "Horvat", "ana@example.test"),
        now=now,
    )
    Hold.objects.filter(pk=hold.pk).update(email="other@example.test")
    with pytest.raises(NotChangeable):
        confirm_booking(hold_id=hold.pk, holder=holder, code=code_of(hold))
    assert list(Appointment.objects.values_list("pk", "status")) == [(visit.pk, "confirmed")]
