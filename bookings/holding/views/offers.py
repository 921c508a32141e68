"""Times that a refusal offers instead, each with a button that holds it."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from bookings.appointments.selectors.alternatives import first_free_from
from bookings.models import Hold
from doctors.rules import VisitTime
from doctors.templatetags.clinic_time import clock_near
from doctors.views.picker_page import TimeInstead


def still_free(
    times: list[VisitTime],
    *,
    near: datetime,
    clinic_id: int,
    visit_type_id: int,
    replaces: UUID | None = None,
) -> list[TimeInstead]:
    """One offer per time. It shows its day if that is not the day of `near`, and its place if that
    is not the given clinic.
    """
    return [
        TimeInstead(
            label=_("Hold %(time)s") % {"time": _said(time, near=near, clinic_id=clinic_id)},
            slot_id=time.slot_id,
            visit_type_id=visit_type_id,
            replaces=replaces,
        )
        for time in times
    ]


def _said(time: VisitTime, *, near: datetime, clinic_id: int) -> str:
    """On its own clinic's clock."""
    when = clock_near(time.starts_at, near=near, zone=time.zone)
    return when if time.place.id == clinic_id else f"{when}, {time.place.name}, {time.place.city}"


def again_or_next(hold: Hold, *, now: datetime) -> tuple[str, list[TimeInstead]]:
    """For an ended hold: whether its time is still free, otherwise the next one."""
    at, here = hold.starts_at, hold.clinic_id
    first = first_free_from(hold, now=now)
    if first is None:
        return _("It is gone now."), []
    offers = still_free(
        [first], near=at, clinic_id=here, visit_type_id=hold.visit_type_id, replaces=hold.replaces
    )
    if first.starts_at == at:
        return _("It is still free. Hold it again?"), offers
    following = _said(first, near=at, clinic_id=here)
    return _("It is gone now. Next free: %(time)s.") % {"time": following}, offers
