"""One visit as the practice sees it: who comes, how it stands, and what can be done."""

from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from bookings.appointments.presentation import is_in_person, told_in_words
from bookings.appointments.selectors.appointments import Contact, contact_of
from bookings.models import Appointment
from bookings.schedule.acts import Act, acts_on, can_be_moved
from bookings.states import ACTIVE, PATIENT_SIDE, AppointmentStatus
from docbook.references import reference
from doctors.templatetags.clinic_time import day_and_clock


@dataclass(frozen=True)
class VisitPanel:
    """`number` counts this patient's visits with the doctor up to this one. `changed` says who has
    changed it last, and how; empty if nobody has.
    """

    visit: Appointment
    contact: Contact
    reference: str
    number: int
    acts: list[Act]
    changed: str

    @property
    def how(self) -> str:
        """The mode, if nobody has to come."""
        agreed = self.visit.agreed
        return "" if is_in_person(self.visit) else str(agreed.get_mode_display())

    @property
    def told(self) -> str:
        """Whether the patient hears of a change from us."""
        return told_in_words(self.contact)

    @property
    def can_be_moved(self) -> bool:
        return can_be_moved(self.visit.status)

    @property
    def is_off(self) -> bool:
        return self.visit.status not in ACTIVE


def panel_of(visit: Appointment) -> VisitPanel:
    """Three queries at most."""
    return VisitPanel(
        visit=visit,
        contact=contact_of(visit),
        reference=reference(visit.pk),
        number=_number_of(visit),
        acts=acts_on(visit.status),
        changed=_last_change(visit),
    )


def _number_of(visit: Appointment) -> int:
    with_the_doctor = Appointment.objects.filter(
        patient=visit.patient_id,
        doctor=visit.doctor_id,
        status__in=ACTIVE,
        starts_at__lte=visit.starts_at,
    )
    return with_the_doctor.count()


def _last_change(visit: Appointment) -> str:
    if not (visit.changed_at and visit.changed_by_kind):
        return ""
    given = {
        "what": _CHANGES[AppointmentStatus(visit.status)],
        "who": _name_of(visit.changed_by, kind=visit.changed_by_kind),
        "when": day_and_clock(visit.changed_at, visit.time_zone),
    }
    return gettext("%(what)s by %(who)s, %(when)s") % given


_CHANGES = {
    # A mark was undone, or the practice has changed what was agreed.
    AppointmentStatus.CONFIRMED: _("Changed"),
    AppointmentStatus.ARRIVED: _("Marked “arrived”"),
    AppointmentStatus.COMPLETED: _("Marked “done”"),
    AppointmentStatus.NO_SHOW: _("Marked “did not come”"),
    AppointmentStatus.CANCELLED: _("Cancelled"),
    AppointmentStatus.RESCHEDULED: _("Moved"),
}


def _name_of(user_id: int | None, *, kind: str) -> str:
    if kind in PATIENT_SIDE:
        return gettext("the patient")
    user = User.objects.filter(pk=user_id).first() if user_id else None
    return (user and user.get_full_name()) or gettext("DocBook")
