"""Applies a changed address, clock or name to booked visits: an act of its own.

A visit keeps what was agreed, even if its clinic or visit type changes. With this act somebody says
that the change applies to booked visits too. Each visit gets its next version, and its patient a
mail.
"""

from datetime import datetime

from django.db import transaction

from bookings.appointments.selectors.amendments import (
    Source,
    digest_of,
    facts_of,
    kind_of,
    outdated_holds,
    outdated_visits,
)
from bookings.models import Appointment, Hold
from docbook.audit import services as audit
from docbook.outbox.services import publish

BATCH = 100


def ask_to_amend(*, source: Source, by: audit.Actor) -> None:
    """Has the booked visits of the source amended in the background, to its current values."""
    kind = kind_of(source)
    with transaction.atomic():
        publish(
            "visits.outdated",
            about=f"{kind}-{source.pk}",
            source=kind,
            source_id=source.pk,
            digest=digest_of(source),
            by=by.user_id,
        )


def amend_visits(*, source: Source, by: audit.Actor, now: datetime) -> int:
    """Amends up to BATCH of them, nearest first, and asks for the rest; returns how many.

    Skips visits that already show the current values. So a second run, or one after a crash,
    continues where the first ended and tells nobody twice. Every run locks the rows in order of
    time: two runs at once wait for each other and then find different visits.

    Holds come first. Something that is confirmed at the same moment is then either a hold that was
    amended, or a visit that is found.
    """
    facts = facts_of(source)
    with transaction.atomic():
        for hold in outdated_holds(source, now=now).order_by("id").select_for_update(of=("self",)):
            _amend_hold(hold, facts=facts, by=by)
        outdated = outdated_visits(source, now=now).order_by("starts_at", "id")
        found = list(outdated.select_for_update(of=("self",))[:BATCH])
        for visit in found:
            _amend(visit, facts=facts, by=by, now=now)
        if len(found) == BATCH:
            ask_to_amend(source=source, by=by)
    return len(found)


def _amend_hold(hold: Hold, *, facts: dict[str, str], by: audit.Actor) -> None:
    """The patient sees the change before they confirm, and in the mail of the confirmation."""
    said = {name: getattr(hold, name) for name in facts if getattr(hold, name) != facts[name]}
    Hold.objects.filter(pk=hold.pk).update(**facts)
    audit.record(
        action="hold.updated",
        by=by,
        on=("hold", hold.pk),
        before=said,
        after={name: facts[name] for name in said},
    )


def _amend(visit: Appointment, *, facts: dict[str, str], by: audit.Actor, now: datetime) -> None:
    """The audit keeps the earlier values; the mail reads them there."""
    said = {name: getattr(visit, name) for name in facts}
    changed = {name for name in facts if facts[name] != said[name]}
    version = visit.version + 1
    row = Appointment.objects.filter(pk=visit.pk, starts_at=visit.starts_at)
    row.update(
        version=version,
        changed_at=now,
        changed_by_kind=by.kind,
        changed_by=by.user_id,
        change_reason="",
        **facts,
    )
    story = {"status": visit.status}
    audit.record(
        action="appointment.updated",
        by=by,
        on=("appointment", visit.pk),
        before=story | {"version": visit.version} | {name: said[name] for name in changed},
        after=story | {"version": version} | {name: facts[name] for name in changed},
    )
    publish("appointment.updated", about=visit.pk, appointment_id=visit.pk, version=version)
