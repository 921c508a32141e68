"""What is being booked, in words: every step of a booking shows it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from bookings.actors.holder import Holder
from bookings.appointments.presentation import (
    Countdown,
    place_line,
    rule_of_changes,
    seconds_left,
)
from bookings.appointments.selectors.appointments import Link, links_to
from bookings.models import Hold
from bookings.models.agreed import AgreedVisit, Place
from doctors.models import Doctor
from doctors.names import initials_of
from doctors.templatetags.clinic_time import avatar, clock, day_medium, iso, money, when, zone_label

_ANY = UUID(int=0)


@dataclass(frozen=True)
class Ticket(Countdown):
    """The templates only insert these texts. So they can draw the words around them once."""

    doctor: Doctor
    place: Place
    agreed: AgreedVisit
    ends_at: datetime
    who: str
    patient_email: str
    # Until when the visit can be changed once it is confirmed, and whether that is in the future.
    changeable_until: datetime
    is_changeable: bool
    # The current time, kept until this one is confirmed.
    keeps: Link | None

    @property
    def is_move(self) -> bool:
        return self.keeps is not None

    @property
    def has_who(self) -> bool:
        return bool(self.who)

    @property
    def has_account(self) -> bool:
        return bool(self.patient_email)

    @property
    def day_in_full(self) -> str:
        return day_medium(self.starts_at, self.zone)

    @cached_property
    def end(self) -> str:
        return clock(self.ends_at, self.zone)

    @cached_property
    def instant(self) -> str:
        return iso(self.starts_at, self.zone)

    @cached_property
    def zone_name(self) -> str:
        return zone_label(self.zone, self.starts_at)

    @cached_property
    def initials(self) -> str:
        return initials_of(self.doctor.name)

    @cached_property
    def avatar(self) -> str:
        return avatar(self.doctor.pk)

    @property
    def practitioner(self) -> str:
        return str(capfirst(self.doctor.specialty.practitioner))

    @cached_property
    def added_mode(self) -> str:
        """How the two meet, unless the name of the visit says it: ", by video"."""
        mode = self.agreed.get_mode_display().lower()
        return "" if mode in self.agreed.name.lower() else f", {mode}"

    @cached_property
    def price(self) -> str:
        return money(self.agreed)

    @property
    def where(self) -> str:
        return place_line(self)

    @property
    def end_of_changes(self) -> str:
        return when(self.changeable_until, self.zone)

    @property
    def rule_of_changes(self) -> str:
        rule = rule_of_changes(self.doctor.change_notice_minutes)
        return f"{rule} {_('After that, call the clinic.')}"

    @cached_property
    def details_url(self) -> str:
        return _step_url("details", self.id)

    @property
    def code_url(self) -> str:
        return _step_url("code", self.id)

    @property
    def resend_url(self) -> str:
        return _step_url("resend", self.id)

    @property
    def release_url(self) -> str:
        return _step_url("release", self.id)


def ticket_of(hold: Hold, holder: Holder) -> Ticket:
    now, until = timezone.now(), hold.changeable_until
    return Ticket(
        id=hold.pk,
        doctor=hold.doctor,
        place=hold.place,
        agreed=hold.agreed,
        zone=hold.time_zone,
        starts_at=hold.starts_at,
        ends_at=hold.ends_at,
        expires_at=hold.expires_at,
        seconds_left=seconds_left(hold, now=now),
        who=f"{hold.first_name} {hold.last_name}".strip(),
        patient_email=holder.patient.address if holder.patient else "",
        changeable_until=until,
        is_changeable=now < until,
        keeps=links_to([hold.replaces]).get(hold.replaces) if hold.replaces else None,
    )


def _step_url(step: str, hold_id: UUID) -> str:
    before, after = _around_id(step)
    return f"{before}{hold_id}{after}"


@cache
def _around_id(step: str) -> tuple[str, str]:
    """The address of a step differs only by the id. Django needs 20 to 80 us for each address."""
    before, _id, after = reverse(f"bookings:{step}", args=[_ANY]).partition(str(_ANY))
    return before, after
