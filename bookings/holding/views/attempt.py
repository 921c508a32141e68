"""What the steps of a booking share: what is being booked, who comes, and the code for them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from accounts.guesses import Guessers, guessers_of
from accounts.known_browsers import is_known_to_anybody, name_of_browser
from accounts.users import owner_of
from bookings.actors.holder import Holder
from bookings.appointments.presentation import seconds_left
from bookings.appointments.selectors.appointments import Link, end_of_changes, links_to
from bookings.engine.selectors import became_a_visit
from bookings.models import Hold
from bookings.models.agreed import AgreedVisit, Place
from docbook.errors import NotFound
from docbook.http.htmx import lead_to
from docbook.http.keyed_digest import network_digest
from docbook.http.throttling import enforce, limit_of
from doctors.models import Doctor

View = Callable[..., HttpResponseBase]


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


def visit_where_the_answer_was_lost(view: View) -> View:
    """For the steps of an attempt. A confirmation opens an account, and with it another session. If
    its answer was lost, the browser has neither and sends the step again. If the attempt became a
    visit, this leads to the visit's page, where the guest can sign in. Anything else is not found.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, hold_id: UUID) -> HttpResponseBase:
        try:
            return view(request, hold_id=hold_id)
        except NotFound:
            if request.user.is_authenticated or not became_a_visit(hold_id):
                raise
            return lead_to(request, reverse("bookings:appointment", args=[hold_id]))

    return wrapped


def limit_codes(request: HttpRequest) -> None:
    """Raises RateLimited for an address or an account that requests codes too often."""
    enforce(limit_of("code", request))
    if request.user.pk is not None:
        enforce(limit_of("code-user", request))


def guessers_at(request: HttpRequest, hold: Hold) -> Guessers:
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
