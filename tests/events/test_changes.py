"""What the audit trail tells of a doctor's day."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment, mark_arrived, undo
from bookings.schedule.services import record_reading
from docbook.events.changes import Change, Trail
from tests.bookings.acts import book, bookable, guest
from tests.bookings.parties import login_of


@pytest.mark.django_db
def test_each_change_of_a_visit_is_told_once_and_reading_it_is_none():
    visit_type, slots = bookable()
    trail = Trail()
    visit = book(slots[0], visit_type=visit_type, holder=guest())
    day = visit.starts_at.astimezone(visit.zone).date()

    def told() -> list[str]:
        news = trail.news()
        assert {(each.doctor_id, each.day) for each in news} <= {(visit.doctor_id, day)}
        return [each.kind for each in news]

    assert told() == ["held", "booked"]
    by, now = PracticeMember(login_of(visit.doctor)), timezone.now()
    mark_arrived(appointment_id=visit.pk, by=by, version=1, now=now)
    assert told() == ["arrived"]
    undo(appointment_id=visit.pk, by=by, version=2, now=now)
    record_reading(reader=by, doctor=visit.doctor, days=[day], through="page")
    assert told() == ["changed"]
    cancel_appointment(appointment_id=visit.pk, by=by, version=3, now=now, reason="ill")
    assert told() == ["cancelled"]
    assert told() == []


@pytest.mark.django_db(transaction=True)
def test_change_is_told_when_its_transaction_ends_even_if_later_ones_were_told_before():
    (first_type, [first, *_]), (second_type, [second, *_]) = bookable(), bookable()
    visits = [
        book(slot, visit_type=of, holder=guest(), email=f"{of.pk}@example.test")
        for slot, of in ((first, first_type), (second, second_type))
    ]
    members = [PracticeMember(login_of(each.doctor)) for each in visits]
    late, quick = visits
    trail = Trail()
    trail.news()
    with ThreadPoolExecutor(1) as another:
        with transaction.atomic():
            mark_arrived(appointment_id=late.pk, by=members[0], version=1, now=timezone.now())

            def meanwhile() -> list[Change]:
                mark_arrived(appointment_id=quick.pk, by=members[1], version=1, now=timezone.now())
                found = trail.news()
                connection.close()
                return found

            [told] = another.submit(meanwhile).result()
            assert told.doctor_id == quick.doctor_id
        [told] = trail.news()
        assert told.doctor_id == late.doctor_id
        assert trail.news() == []
