"""Saves many doctors, or the weekly hours of many doctors, in one transaction: all or nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from accounts.models import User
from docbook.audit import services as audit
from doctors.models import AvailabilityRule, Doctor, SlotExpansion
from doctors.services.hours import difference
from doctors.services.slot_expansions import ask_for_expansion

ROWS_A_STATEMENT = 1_000

# What a file says of a doctor. Whether they can be booked is decided by hand.
IMPORTED = (
    "name", "specialty_id", "clinic_id", "languages", "about", "slot_minutes",
    "min_notice_minutes", "horizon_days", "most_visits_a_day", "change_notice_minutes",
)  # fmt: skip
# Free text for patients, which the audit trail does not keep.
_TEXTS = ("name", "about")


def facts_of(doctor: Doctor) -> dict[str, Any]:
    """What a file may change of this doctor, as values that can be compared."""
    return {name: getattr(doctor, name) for name in IMPORTED}


def rules_of_each(doctor_ids: Iterable[int]) -> dict[int, list[AvailabilityRule]]:
    """The weekly hours by doctor, in order of id. One query."""
    found: dict[int, list[AvailabilityRule]] = defaultdict(list)
    rules = AvailabilityRule.objects.filter(doctor__in=list(doctor_ids)).order_by("pk")
    for rule in rules:
        found[rule.doctor_id].append(rule)
    return found


def save_doctors(
    *,
    added: Sequence[Doctor],
    changed: Sequence[tuple[dict[str, Any], Doctor]],
    by: audit.Actor,
    user: User,
) -> SlotExpansion | None:
    """Adds doctors, who wait for approval, and changes others; `changed` has the earlier
    facts. Raises IntegrityError if somebody has taken a slug in the meantime.

    Returns the expansion that brings the times of changed doctors in line.
    """
    doctors = [doctor for _before, doctor in changed]
    with transaction.atomic():
        _lock([doctor.pk for doctor in doctors])
        Doctor.objects.bulk_create(added, batch_size=ROWS_A_STATEMENT)
        names = [name.removesuffix("_id") for name in IMPORTED]
        Doctor.objects.bulk_update(doctors, names, batch_size=ROWS_A_STATEMENT)
        audit.record_all(
            action="doctor.imported",
            by=by,
            changes=[
                *(audit.Change(("doctor", each.pk), {}, _told(facts_of(each))) for each in added),
                *(
                    audit.Change(("doctor", each.pk), _told(before), _told(facts_of(each)))
                    for before, each in changed
                ),
            ],
        )
        ids = [doctor.pk for doctor in doctors]
        return ask_for_expansion(doctor_ids=ids, by=user) if ids else None


def save_hours(
    *, wanted: Mapping[int, Sequence[AvailabilityRule]], by: audit.Actor, user: User
) -> SlotExpansion | None:
    """Makes these the weekly hours of each of the doctors, by id. Hours that stay keep their row.

    Returns the expansion that brings the times in line; None if nothing has changed.
    """
    with transaction.atomic():
        _lock(wanted)
        present = rules_of_each(wanted)
        differs = {pk: difference(present[pk], rules) for pk, rules in wanted.items()}
        changed = [pk for pk, (removed, added) in differs.items() if removed or added]
        if not changed:
            return None
        removed = [rule.pk for pk in changed for rule in differs[pk][0]]
        AvailabilityRule.objects.filter(pk__in=removed).delete()
        added = [rule for pk in changed for rule in differs[pk][1]]
        AvailabilityRule.objects.bulk_create(added, batch_size=ROWS_A_STATEMENT)
        audit.record_all(
            action="hours.changed",
            by=by,
            changes=[
                audit.Change(("doctor", pk), _rules(present[pk]), _rules(wanted[pk]))
                for pk in changed
            ],
        )
        return ask_for_expansion(doctor_ids=changed, by=user)


def _lock(doctor_ids: Iterable[int]) -> None:
    """The lock of `lock_hours`, for many: in order of id, so that two imports never wait for each
    other.
    """
    rows = Doctor.objects.select_for_update(no_key=True).filter(pk__in=list(doctor_ids))
    list(rows.order_by("pk").values_list("pk", flat=True))


def _rules(rules: Iterable[AvailabilityRule]) -> dict[str, Any]:
    return {"rules": [rule.facts for rule in rules]}


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in _TEXTS}
