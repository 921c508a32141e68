"""Merges two accounts of one patient, and undoes it for a day.

The locks are taken in the order of docs/concurrency.md: the waitlists of both, the holds of the one
that goes, the visits of both, then the rows of its visits. A confirmation that comes second finds
that its patient is inactive, and is refused.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import PatientMerge, User
from accounts.roles import works_here
from bookings.merging.selectors import find_overlap
from bookings.models import Appointment, Hold, HoldState, WaitlistEntry, WaitlistState
from docbook.audit import services as audit
from docbook.errors import FieldError, NotFound
from docbook.lock_keys import VISITS_OF, WAITLIST_OF
from docbook.postgres.rows import rows_of
from doctors.templatetags.clinic_time import day_and_clock

UNDO_WITHIN = timedelta(hours=24)
# Details that the account that stays takes over if it has none, and what none is.
_FILLED_IN: dict[str, Any] = {"phone": "", "born_on": None}
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def merge_patients(*, kept_id: int, merged_id: int, by: audit.Actor, now: datetime) -> PatientMerge:
    """Everything of the one patient moves to the other, who stays. The one that goes can no longer
    sign in. What was agreed, notes, mails and the audit trail stay as they are.

    Raises NotFound, or FieldError; then nothing has changed. Its codes: `same`, `closed` (not both
    accounts are active), `staff`, `keep-address` (only the one that goes has an e-mail address),
    `booking` (the one that goes holds a time) and `overlap` (both have visits at the same time).
    """
    if kept_id == merged_id:
        raise _refused(_("Choose two accounts."), "same")
    with transaction.atomic():
        _lock(kept_id, merged_id)
        kept, merged = _both(kept_id, merged_id)
        _refuse_unless_patients(kept, merged)
        _refuse_overlap(kept, merged)
        merge = PatientMerge.objects.create(
            kept=kept, merged=merged, by_id=by.user_id, merged_at=now
        )
        merge.moved = {
            "visits": _move_visits(kept, merged),
            "holds": _move_holds(kept, merged),
            "waitlist": _move_entries(kept, merged),
            "filled": _fill_in(kept, merged),
        }
        merge.save(update_fields=["moved"])
        merged.is_active = False
        merged.save(update_fields=["is_active"])
        _record("patient.merged", merge, by=by)
    return merge


def undo_merge(*, merge_id: int, by: audit.Actor, now: datetime) -> int:
    """Parts the two again. What has changed since stays where it is; returns how many visits do.

    Raises NotFound for an unknown merge, FieldError (`undone`, `too-late`).
    """
    with transaction.atomic():
        merge = PatientMerge.objects.filter(pk=merge_id).first()
        if merge is None:
            raise NotFound
        _lock(merge.kept_id, merge.merged_id)
        merge = PatientMerge.objects.select_for_update().get(pk=merge_id)
        if merge.undone_at is not None:
            raise _refused(_("This was undone already."), "undone")
        if now >= merge.merged_at + UNDO_WITHIN:
            raise _refused(_("This can be undone for a day only."), "too-late")
        merge.undone_at, merge.undone_by_id = now, by.user_id
        merge.save(update_fields=["undone_at", "undone_by"])
        kept, merged = _both(merge.kept_id, merge.merged_id)
        back = _visits_back(merge)
        _holds_back(merge, visits=back)
        _entries_back(merge)
        _take_out(kept, merged, filled=merge.moved["filled"])
        merged.is_active = True
        merged.save(update_fields=["is_active"])
        _record("patient.parted", merge, by=by)
    return len(merge.moved["visits"]) - len(back)


def _lock(kept_id: int, merged_id: int) -> None:
    """In this order, and each kind by id: see docs/concurrency.md. The rows of holds wait for those
    who confirm one of them, and who later want the patient's visits.
    """
    both = sorted((kept_id, merged_id))
    for pk in both:
        rows_of(_LOCK, f"{WAITLIST_OF}{pk}")
    holds = Hold.objects.filter(patient__in=both, state=HoldState.HELD)
    list(holds.select_for_update().order_by("pk").values_list("pk"))
    for pk in both:
        rows_of(_LOCK, f"{VISITS_OF}{pk}")


def _both(kept_id: int, merged_id: int) -> tuple[User, User]:
    """As they are now. Nobody changes them meanwhile; visits that refer to them go on."""
    locked = User.objects.select_for_update(no_key=True).filter(pk__in=(kept_id, merged_id))
    found = {user.pk: user for user in locked.order_by("pk")}
    if len(found) < 2:
        raise NotFound
    return found[kept_id], found[merged_id]


def _refuse_unless_patients(kept: User, merged: User) -> None:
    if not (kept.is_active and merged.is_active):
        raise _refused(_("One of the accounts is closed."), "closed")
    if works_here(kept) or works_here(merged):
        raise _refused(_("Accounts of people who work here are never merged."), "staff")
    if merged.email and not kept.email:
        text = _("Keep the account with the e-mail address: its owner signs in with it.")
        raise _refused(text, "keep-address")
    if Hold.objects.filter(patient=merged, state=HoldState.HELD).exists():
        text = _("Somebody is booking with the account that goes. Try again in a few minutes.")
        raise _refused(text, "booking")


def _refuse_overlap(kept: User, merged: User) -> None:
    found = find_overlap(kept.pk, merged.pk)
    if found is None:
        return
    visits = [
        Appointment.objects.filter(patient=patient, starts_at=start).first()
        for patient, start in zip((kept, merged), found, strict=True)
    ]
    said = [
        f"{day_and_clock(visit.starts_at, visit.time_zone)}, {visit.doctor}"
        for visit in visits
        if visit
    ]
    text = _("Both have a visit at the same time: %(visits)s. Cancel or move one of them first.")
    raise _refused(text % {"visits": " / ".join(said)}, "overlap")


def _move_visits(kept: User, merged: User) -> list[list[Any]]:
    """Returns id, start and version of each. The times of a patient follow by a trigger."""
    visits = Appointment.objects.filter(patient=merged).select_for_update(of=("self",))
    moved = list(visits.order_by("pk").values_list("pk", "starts_at", "version"))
    Appointment.objects.filter(patient=merged).update(patient=kept)
    return [[str(pk), starts_at.isoformat(), version] for pk, starts_at, version in moved]


def _move_holds(kept: User, merged: User) -> list[str]:
    moved = list(Hold.objects.filter(patient=merged).values_list("pk", flat=True))
    Hold.objects.filter(patient=merged).update(patient=kept)
    return [str(pk) for pk in moved]


def _move_entries(kept: User, merged: User) -> list[list[str]]:
    """Id and state of each. A wish that the other has as well ends."""
    moved = []
    for entry in WaitlistEntry.objects.filter(patient=merged).order_by("created_at", "pk"):
        moved.append([str(entry.pk), entry.state])
        try:
            with transaction.atomic():
                WaitlistEntry.objects.filter(pk=entry.pk).update(patient=kept)
        except IntegrityError:
            ended = {"patient": kept, "state": WaitlistState.ENDED}
            WaitlistEntry.objects.filter(pk=entry.pk).update(**ended)
            moved[-1].append(WaitlistState.ENDED.value)
    return moved


def _fill_in(kept: User, merged: User) -> list[str]:
    names = [name for name in _FILLED_IN if getattr(merged, name) and not getattr(kept, name)]
    for name in names:
        setattr(kept, name, getattr(merged, name))
    kept.save(update_fields=names)
    return names


def _visits_back(merge: PatientMerge) -> list[UUID]:
    """Those whose version is still the one of the merge."""
    back = []
    for pk, starts_at, version in merge.moved["visits"]:
        visit = Appointment.objects.filter(
            pk=pk, starts_at=starts_at, version=version, patient=merge.kept_id
        )
        if visit.update(patient=merge.merged_id):
            back.append(UUID(pk))
    return back


def _holds_back(merge: PatientMerge, *, visits: list[UUID]) -> None:
    """A hold and its visit belong to one patient."""
    holds = Hold.objects.filter(pk__in=merge.moved["holds"], patient=merge.kept_id)
    holds.filter(pk__in=visits).update(patient=merge.merged_id)
    holds.exclude(state=HoldState.CONFIRMED).update(patient=merge.merged_id)


def _entries_back(merge: PatientMerge) -> None:
    for pk, before, *after in merge.moved["waitlist"]:
        now = after[0] if after else before
        entry = WaitlistEntry.objects.filter(pk=pk, patient=merge.kept_id, state=now)
        entry.update(patient=merge.merged_id, state=before)


def _take_out(kept: User, merged: User, *, filled: list[str]) -> None:
    for name in filled:
        if getattr(kept, name) == getattr(merged, name):
            setattr(kept, name, _FILLED_IN[name])
    kept.save(update_fields=filled)


def _record(action: str, merge: PatientMerge, *, by: audit.Actor) -> None:
    audit.record(
        action=action,
        by=by,
        on=("account", merge.merged_id),
        after={"kept": merge.kept_id, "merge": merge.pk, "visits": len(merge.moved["visits"])},
    )


def _refused(text: str, code: str) -> FieldError:
    return FieldError("merged", text, field_code=code)
