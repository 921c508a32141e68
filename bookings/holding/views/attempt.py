"""What the steps of a booking share: what is being booked, who comes, and the code for them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from accounts.guesses import guessers_of
from accounts.known_browsers import is_known_to_anybody, name_of_browser
from accounts.users import owner_of
from bookings.actors.holder import Holder
from bookings.appointments.presentation import end_of_changes, seconds_left
from bookings.appointments.selectors.appointments import Link, links_to
from bookings.engine.selectors import get_hold
from bookings.holding.code_limits import limits_of, send_counted
from bookings.holding.drafts import DRAFT_FIELDS
from bookings.holding.services.codes import Details, request_code
from bookings.models import Hold
from bookings.models.agreed import AgreedVisit, Place
from bookings.rules import reason_for_clinic
from docbook.http.keyed_digest import network_digest
from docbook.http.throttling import enforce, enforce_together, limit_of
from doctors.models import Doctor, Mode


@dataclass(frozen=True)
class Ticket:
    """What is being booked, as every step shows it."""

    id: UUID
    doctor: Doctor
    place: Place
    agreed: AgreedVisit
    zone: str
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime
    seconds_left: int
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


def limit_codes(request: HttpRequest) -> None:
    """Raises RateLimited for an address or an account that requests codes too often."""
    enforce(limit_of("code", request))
    if request.user.pk is not None:
        enforce(limit_of("code-user", request))


def limit_tries(request: HttpRequest) -> None:
    """Raises RateLimited for an address or an account that tries codes too often."""
    limits = [limit_of("confirm", request)]
    if request.user.pk is not None:
        limits.append(limit_of("confirm-user", request))
    enforce_together(*limits)


def guessers_at(request: HttpRequest, hold: Hold) -> list[tuple[str, int]]:
    """The guessers that a guest's wrong code counts for. Only a known browser counts separately, so
    a stranger's account need not be looked up.
    """
    owner = owner_of(hold.email) if is_known_to_anybody(request) else None
    return guessers_of(network=network_digest(request), browser=name_of_browser(request, owner))


def ticket_of(hold: Hold, holder: Holder) -> Ticket:
    now, until = timezone.now(), end_of_changes(hold)
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
        patient_email=holder.patient.email if holder.patient else "",
        changeable_until=until,
        is_changeable=now < until,
        keeps=links_to([hold.replaces]).get(hold.replaces) if hold.replaces else None,
    )


def known_details(hold: Hold, holder: Holder) -> dict[str, str]:
    """The details entered before, for this time or the one that moves; otherwise the account's."""
    patient = holder.patient
    if hold.replaces and not hold.code_sent_at:
        moved = get_hold(hold_id=hold.replaces, holder=holder)
        known = {name: getattr(moved, name) for name in DRAFT_FIELDS}
        reason = reason_for_clinic(
            moved.reason, clinic_id=hold.clinic_id, written_to=moved.clinic_id
        )
        return known | {"reason": reason}
    if hold.code_sent_at or patient is None:
        return sent_details(hold)
    return {name: getattr(patient, name) for name in ("first_name", "last_name", "phone")}


def sent_details(hold: Hold) -> dict[str, str]:
    """The details in the hold."""
    return {name: getattr(hold, name) for name in DRAFT_FIELDS} if hold.code_sent_at else {}


def caller_of(hold: Hold) -> str:
    """Who calls the patient; empty if the two meet in another way."""
    return hold.doctor.name if hold.mode == Mode.PHONE else ""


def send_code(hold: Hold, *, holder: Holder, details: Details) -> None:
    patient_id = holder.patient.pk if holder.patient else None
    send_counted(
        lambda now: request_code(hold_id=hold.pk, holder=holder, details=details, now=now),
        limits=limits_of(patient_id=patient_id, email=details.email, phone=details.phone),
        now=timezone.now(),
    )
