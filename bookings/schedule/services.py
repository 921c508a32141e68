"""What the practice reads and notes about its visits."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.appointments import appointment_of_hold
from bookings.appointments.services import transitions
from bookings.models import Appointment, VisitNote
from docbook.audit import services as audit
from docbook.errors import NotYours, VersionMismatch
from doctors.models import Doctor


def record_reading_of_day(
    *, reader: PracticeMember, doctor: Doctor, day: date, through: str
) -> None:
    """Records that somebody has read who comes on this day, and why. Names no patient."""
    audit.record(
        action="patients.read",
        by=reader.actor_for(doctor) or audit.Actor("staff", reader.user.pk),
        on=("doctor", doctor.pk),
        after={"date": day.isoformat(), "through": through},
    )


def record_reading_of_visits(
    *, reader: PracticeMember, doctor: Doctor, days: Iterable[date], through: str
) -> None:
    """Records that somebody has read who comes on some of these days. Names no patient."""
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
