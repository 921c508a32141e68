"""What the practice reads and notes about its visits."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import appointment_of_hold
from bookings.appointments.services import transitions
from bookings.appointments.services.moves import move_appointment
from bookings.models import Appointment, VisitNote
from bookings.schedule.moves import RULES, rule_broken_by
from bookings.states import AppointmentStatus
from docbook.audit import services as audit
from docbook.errors import FieldError, NotYours, VersionMismatch
from doctors.models import Doctor
from doctors.selectors.doctors import slot_of_doctor


def record_reading(
    *, reader: PracticeMember, doctor: Doctor, days: Iterable[date], through: str
) -> None:
    """Records that somebody has read who comes on these days, and why. Names no patient."""
    audit.record(
        action="patients.read",
        by=reader.actor_for(doctor) or audit.Actor("staff", reader.user.pk),
        on=("doctor", doctor.pk),
        after={"dates": [day.isoformat() for day in sorted(set(days))], "through": through},
    )


def open_visit(*, appointment_id: UUID, by: PracticeMember) -> Appointment:
    """The visit, for those who may read who comes; records that they have.

    Raises NotFound for anybody else.
    """
    hold, actor = transitions.find(appointment_id, by=by)
    if not by.may_read_patients(hold.doctor):
        raise NotYours("appointment", appointment_id)
    audit.record(
        action="patients.read",
        by=actor,
        on=("appointment", appointment_id),
        after={"through": "page"},
    )
    return appointment_of_hold(hold)


@transaction.atomic
def move_visit(
    *,
    appointment_id: UUID,
    slot_id: int,
    by: PracticeMember,
    version: transitions.Seen,
    reason: str,
    anyway: bool,
    now: datetime,
) -> Appointment:
    """Moves the visit as `move_appointment` does, which says what is raised.

    A time that patients could not book needs `anyway`, or FieldError is raised for it; the audit
    names the rule that was overridden. Raises NotFound also for those who may not read who comes.
    """
    hold, actor = transitions.find(appointment_id, by=by, to=AppointmentStatus.RESCHEDULED)
    if not by.may_read_patients(hold.doctor):
        raise NotYours("appointment", appointment_id)
    slot = slot_of_doctor(hold.doctor, slot_id=slot_id)
    rule = slot and rule_broken_by(
        slot.starts_at, doctor=hold.doctor, zone=slot.clinic.zone, now=now
    )
    if rule and slot and slot.starts_at > now and not anyway:
        message = f"{RULES[rule]}. Tick this if it shall be that time."
        raise FieldError("anyway", message, field_code=rule)
    moved = move_appointment(
        appointment_id=appointment_id,
        slot_id=slot_id,
        by=by,
        version=version,
        reason=reason,
        now=now,
    )
    if rule:
        audit.record(
            action="rule.overridden",
            by=actor,
            on=("appointment", moved.pk),
            after={"rule": rule},
        )
    return moved


def note_of(appointment_id: UUID) -> VisitNote:
    """The note; one of version 0 that is not saved if nobody has written any."""
    found = VisitNote.objects.filter(pk=appointment_id).first()
    return found or VisitNote(pk=appointment_id)


@transaction.atomic
def write_note(
    *, appointment_id: UUID, text: str, by: PracticeMember, version: int, now: datetime
) -> VisitNote:
    """Replaces the note. `version` is the one that the writer has seen; 0 if there was none.

    Raises NotFound for those who may not read who comes, and VersionMismatch if somebody else has
    written meanwhile.
    """
    hold, actor = transitions.find(appointment_id, by=by)
    if not by.may_read_patients(hold.doctor):
        raise NotYours("appointment", appointment_id)
    first: dict[str, datetime | User] = {"changed_at": now, "changed_by": by.user}
    VisitNote.objects.get_or_create(pk=hold.pk, defaults=first)
    note = VisitNote.objects.select_for_update().get(pk=hold.pk)
    if note.version != version:
        raise VersionMismatch
    if note.text != text:
        note.text, note.version = text, version + 1
        note.changed_at, note.changed_by = now, by.user
        note.save()
        audit.record(
            action="note.written",
            by=actor,
            on=("appointment", appointment_id),
            before={"version": version},
            after={"version": note.version},
        )
    return note
