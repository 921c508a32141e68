"""Decides about booked visits outside a doctor's hours. A worker carries the decision out."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings.actors.practice_member import PracticeMember
from bookings.appointments.selectors.colleagues import is_colleague
from bookings.appointments.selectors.undecided import OutsideVisit, Standing, day_hours
from bookings.models import Choice, ItemState, RearrangedVisit, Rearrangement
from bookings.schedule.selectors import PresentHours
from docbook.audit import services as audit
from docbook.errors import FieldError, NotYours
from docbook.outbox.services import publish
from doctors.hours import Hours
from doctors.models import Doctor
from doctors.services.hours import lock_hours

TOPIC = "visits.rearranged"


def decide(
    *,
    doctor: Doctor,
    visits: Collection[UUID],
    choice: Choice,
    by: PracticeMember,
    now: datetime,
    reason: str = "",
    colleague: Doctor | None = None,
) -> Rearrangement:
    """Keeps the visits at once, or has a worker do something else with them, one by one.

    Leaves out those that are no longer open for a decision: somebody was faster, or the hours have
    changed. Raises NotYours for somebody who may not run the doctor's day and read who comes, and
    FieldError for no open visit, no reason for the patients, or no colleague of this doctor.
    """
    actor = by.actor_for(doctor)
    if actor is None or not by.may_read_patients(doctor):
        raise NotYours("doctor", doctor.pk)
    reason = "" if choice == Choice.KEEP else reason.strip()
    if choice != Choice.KEEP and not reason:
        raise FieldError("reason", "Say why: the patients are told.", field_code="required")
    if choice != Choice.HAND_OVER:
        colleague = None
    elif colleague is None or not is_colleague(colleague, of=doctor):
        raise FieldError("colleague", "Choose a colleague.", field_code="required")
    with transaction.atomic():
        # Of two decisions at once, the second would not see what the first has decided.
        lock_hours(doctor)
        present = PresentHours(doctor, now)
        wanted = [
            each
            for each in present.outside
            if each.standing == Standing.OPEN and each.visit.id in visits
        ]
        decision = Rearrangement.objects.create(
            doctor=doctor,
            choice=choice,
            colleague=colleague,
            reason=reason,
            decided_by=by.user,
            decided_at=now,
        )
        number = _add_items(decision, wanted, hours=present.hours)
        if number == 0:
            raise FieldError("visits", "Choose at least one visit.", field_code="required")
        _record(decision, number=number, by=actor)
        if choice != Choice.KEEP:
            ask_to_carry_out(decision.pk)
    return decision


def ask_to_carry_out(rearrangement_id: int) -> None:
    """Has a worker do what is left to do. Call it in a transaction."""
    about = f"rearrangement-{rearrangement_id}"
    publish(TOPIC, about=about, rearrangement_id=rearrangement_id)


def _add_items(decision: Rearrangement, wanted: Collection[OutsideVisit], *, hours: Hours) -> int:
    """Returns how many were added."""
    is_kept = decision.choice == Choice.KEEP
    items = [
        RearrangedVisit(
            rearrangement=decision,
            visit_id=each.visit.id,
            version=each.visit.version,
            state=ItemState.DONE if is_kept else ItemState.WAITING,
            day_hours=day_hours(hours, of=each.visit) if is_kept else "",
        )
        for each in wanted
    ]
    return len(RearrangedVisit.objects.bulk_create(items))


def _record(decision: Rearrangement, *, number: int, by: audit.Actor) -> None:
    told = {"choice": decision.choice, "visits": number, "rearrangement": decision.pk}
    if decision.colleague_id is not None:
        told["colleague"] = decision.colleague_id
    audit.record(action="visits.rearranged", by=by, on=("doctor", decision.doctor_id), after=told)
