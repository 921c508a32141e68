"""Changes weekly hours, time off and extra hours, for the admin and for the pages of the practice.

Visits that are booked stay booked, and slots that are held or booked stay as they are.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from docbook.audit import services as audit
from docbook.errors import VersionMismatch
from doctors.models import AvailabilityOverride, AvailabilityRule, Doctor
from doctors.selectors.hours import rules_of, version_of
from doctors.services.slot_expansions import ask_for_expansion

Row = AvailabilityRule | AvailabilityOverride


def change_rules(
    *, doctor: Doctor, rules: Sequence[AvailabilityRule], seen: str, by: audit.Actor, user: User
) -> None:
    """Makes these the doctor's weekly hours; a worker brings the times in line after the commit.

    `seen` is the version that the caller has seen (`version_of`). Raises VersionMismatch if the
    hours have changed since.
    """
    with transaction.atomic():
        lock_hours(doctor)
        present = rules_of(doctor)
        if version_of(present) != seen:
            raise VersionMismatch
        removed, added = difference(present, rules)
        if not removed and not added:
            return
        _write_rules(doctor=doctor, saved=added, removed=removed, by=by)
        ask_for_expansion(doctor_ids=[doctor.pk], by=user)


def save_rules(
    *,
    doctor: Doctor,
    saved: Sequence[AvailabilityRule],
    removed: Sequence[AvailabilityRule],
    by: audit.Actor,
) -> None:
    """Writes some of the doctor's weekly hours. The caller asks for the expansion."""
    if saved or removed:
        with transaction.atomic():
            lock_hours(doctor)
            _write_rules(doctor=doctor, saved=saved, removed=removed, by=by)


def save_overrides(
    *,
    doctor: Doctor,
    saved: Sequence[AvailabilityOverride],
    removed: Sequence[AvailabilityOverride],
    by: audit.Actor,
) -> None:
    """Writes time off and extra hours. The caller asks for the expansion."""
    if not saved and not removed:
        return
    with transaction.atomic():
        lock_hours(doctor)
        changed = [each.pk for each in (*saved, *removed) if each.pk]
        before = list(doctor.overrides.filter(pk__in=changed).order_by("pk"))
        _write(saved=saved, removed=removed)
        _record(
            "overrides.changed", doctor=doctor, by=by, name="overrides", before=before, after=saved
        )


def add_override(
    *, doctor: Doctor, override: AvailabilityOverride, by: audit.Actor, user: User
) -> None:
    """Adds it, unless the doctor has the same already: a form may be sent twice."""
    with transaction.atomic():
        lock_hours(doctor)
        wanted = (override.facts, override.reason)
        if any((each.facts, each.reason) == wanted for each in doctor.overrides.all()):
            return
        save_overrides(doctor=doctor, saved=[override], removed=[], by=by)
        ask_for_expansion(doctor_ids=[doctor.pk], by=user)


def remove_override(
    *, doctor: Doctor, override: AvailabilityOverride, by: audit.Actor, user: User
) -> None:
    with transaction.atomic():
        save_overrides(doctor=doctor, saved=[], removed=[override], by=by)
        ask_for_expansion(doctor_ids=[doctor.pk], by=user)


def difference(
    present: Sequence[AvailabilityRule], wanted: Sequence[AvailabilityRule]
) -> tuple[list[AvailabilityRule], list[AvailabilityRule]]:
    """What goes and what comes. A rule that says the same as before keeps its row."""
    left, added = list(present), []
    for rule in wanted:
        same = next((each for each in left if each.facts == rule.facts), None)
        if same is None:
            added.append(rule)
        else:
            left.remove(same)
    return left, added


def lock_hours(doctor: Doctor) -> None:
    """One change of a doctor's hours, or decision about visits outside them, at a time. Call it in
    a transaction.

    The lock closes this race: of two people who save at once, the second would compare with rules
    that the first is about to replace. The admin takes it when it saves the doctor. Nobody who
    books waits for it: a foreign key asks for a weaker lock.
    """
    Doctor.objects.select_for_update(no_key=True).get(pk=doctor.pk)


def _write_rules(
    *,
    doctor: Doctor,
    saved: Sequence[AvailabilityRule],
    removed: Sequence[AvailabilityRule],
    by: audit.Actor,
) -> None:
    before = rules_of(doctor)
    _write(saved=saved, removed=removed)
    _record(
        "hours.changed",
        doctor=doctor,
        by=by,
        name="rules",
        before=before,
        after=rules_of(doctor),
    )


def _write(*, saved: Sequence[Row], removed: Sequence[Row]) -> None:
    for row in removed:
        row.delete()
    for row in saved:
        row.save()


def _record(
    action: str,
    *,
    doctor: Doctor,
    by: audit.Actor,
    name: str,
    before: Iterable[Row],
    after: Iterable[Row],
) -> None:
    audit.record(
        action=action,
        by=by,
        on=("doctor", doctor.pk),
        before={name: _facts(before)},
        after={name: _facts(after)},
    )


def _facts(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [row.facts for row in rows]
