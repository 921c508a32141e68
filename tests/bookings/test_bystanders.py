"""Whatever happens to one booking, those of others stay the same: a hold, a visit, an attempt to
move, of the same doctor and of another, of the same patient and of somebody else.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.services.changes import cancel_appointment
from bookings.appointments.services.moves import move_appointment
from bookings.engine.services import release_hold, sweep_holds
from bookings.errors import OtpInvalid, OtpLocked
from bookings.holding.services.confirmation import confirm_booking
from bookings.models import Appointment, Hold
from bookings.models.holds import MAX_CODE_ATTEMPTS
from doctors.models import Slot, VisitType
from tests.bookings.acts import (
    as_patient,
    attempt,
    book,
    bookable,
    code_of,
    guest,
    hold_instead,
    let_expire,
    wrong_code,
)
from tests.factories import (
    make_doctor,
    make_patient,
    make_secretary,
    make_slots,
    make_visit_type,
    tomorrow_at,
)

pytestmark = pytest.mark.django_db


class Scene:
    """One patient with a visit and an attempt to move it, in the middle of others' bookings."""

    def __init__(self) -> None:
        self.visit_type, _tomorrow = bookable(count=0, change_notice_minutes=0)
        doctor = self.visit_type.doctor
        self.slots = make_slots(doctor=doctor, starts_at=tomorrow_at(days=3), count=10)
        self.secretary = PracticeMember(make_secretary(doctor=doctor))
        self.patient = make_patient()
        self._bystanders()
        self.holder = as_patient(self.patient)
        self.visit = book(self.slots[4], visit_type=self.visit_type, holder=self.holder)
        self.hold = hold_instead(self.visit, self.slots[5])

    def _bystanders(self) -> None:
        elsewhere = make_visit_type(doctor=make_doctor(change_notice_minutes=0))
        there = make_slots(doctor=elsewhere.doctor, starts_at=tomorrow_at(days=4), count=4)
        self._three(self.visit_type, self.slots, by=make_patient())
        self._three(elsewhere, there, by=self.patient)
        # At the very hour of the patient's visit, with another doctor.
        same_hour = make_visit_type(doctor=make_doctor())
        (slot,) = make_slots(doctor=same_hour.doctor, starts_at=self.slots[4].starts_at)
        book(slot, visit_type=same_hour, holder=guest(), email="same.hour@example.test")

    def _three(self, visit_type: VisitType, slots: list[Slot], *, by: Any) -> None:
        visit = book(slots[0], visit_type=visit_type, holder=as_patient(by), email=by.email)
        hold_instead(visit, slots[1])
        attempt(slots[2], visit_type=visit_type, holder=guest())


def fifth_wrong_code(scene: Scene) -> None:
    for _ in range(MAX_CODE_ATTEMPTS):
        with suppress(OtpInvalid, OtpLocked):
            confirm_booking(hold_id=scene.hold.pk, holder=scene.holder, code=wrong_code(scene.hold))


def confirmation(scene: Scene) -> None:
    confirm_booking(hold_id=scene.hold.pk, holder=scene.holder, code=code_of(scene.hold))


def repeated_confirmation(scene: Scene) -> None:
    for _ in range(2):
        found = confirm_booking(
            hold_id=scene.hold.pk, holder=scene.holder, code=code_of(scene.hold)
        )
        assert found.pk == scene.hold.pk


def cancellation(scene: Scene) -> None:
    cancel_appointment(
        appointment_id=scene.visit.pk, by=scene.holder, version=1, now=timezone.now()
    )


def move_by_the_practice(scene: Scene) -> None:
    move_appointment(
        appointment_id=scene.visit.pk,
        slot_id=scene.slots[8].pk,
        by=scene.secretary,
        version=1,
        reason="The doctor operates",
        now=timezone.now(),
    )


def release(scene: Scene) -> None:
    release_hold(hold_id=scene.hold.pk, holder=scene.holder)


def expiry(scene: Scene) -> None:
    let_expire(scene.hold)
    assert sweep_holds() == 1


def new_hold(scene: Scene) -> None:
    attempt(scene.slots[9], visit_type=scene.visit_type, holder=guest(), email="new@example.test")


def others(scene: Scene) -> dict[str, Any]:
    mine = [scene.visit.pk, scene.hold.pk]
    return {
        "slots": sorted(
            Slot.objects.exclude(pk__in=[each.pk for each in scene.slots[4:]]).values_list(
                "pk", "state", "hold_id", "held_until"
            )
        ),
        "holds": sorted(
            Hold.objects.exclude(pk__in=mine)
            .filter(created_at__lte=scene.hold.created_at)
            .values_list("pk", "state", "expires_at", "otp_attempts", "otp_resends", "patient_id")
        ),
        "visits": sorted(
            Appointment.objects.exclude(pk__in=mine)
            .filter(replaces=None)
            .values_list("pk", "status", "version", "replaced_by", "changed_at")
        ),
    }


@pytest.mark.parametrize(
    "act",
    [
        fifth_wrong_code,
        confirmation,
        repeated_confirmation,
        cancellation,
        move_by_the_practice,
        release,
        expiry,
        new_hold,
    ],
)
def test_bookings_of_others_stay_as_they_are(act: Callable[[Scene], None]) -> None:
    scene = Scene()
    scene.hold.refresh_from_db()
    before = others(scene)
    assert len(before["holds"]) == 7
    assert len(before["visits"]) == 3
    act(scene)
    assert others(scene) == before


def test_of_two_visits_at_one_time_the_confirmation_names_its_own() -> None:
    """Another doctor's visit begins at the same instant: a repeated answer is about one's own."""
    scene = Scene()
    new = confirm_booking(hold_id=scene.hold.pk, holder=scene.holder, code=code_of(scene.hold))
    assert new.starts_at == scene.visit.starts_at + timedelta(
        minutes=scene.visit_type.doctor.slot_minutes
    )
    assert Appointment.objects.filter(status="rescheduled").get() == scene.visit
