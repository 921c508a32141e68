"""Who is booking in this browser, and the holds it has made."""

from uuid import UUID, uuid4

from django.contrib.auth import login
from django.http import HttpRequest

from accounts import account_events
from accounts.models import User
from accounts.services import is_first_visit
from bookings.actors.holder import Holder
from bookings.models import Appointment, Hold
from doctors.views.detail import SESSION_HOLDS

GUEST_KEY = "guest_key"
MOST_REMEMBERED = 10
_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def current_holder(request: HttpRequest) -> Holder:
    """The signed-in patient, the guest of this session, or both after signing in half-way."""
    key = request.session.get(GUEST_KEY)
    return Holder(patient=_patient(request), guest_key=UUID(key) if key else None)


def holder_who_starts(request: HttpRequest) -> Holder:
    """Like `current_holder`, but gives a guest's session its key the first time."""
    if _patient(request) is None and GUEST_KEY not in request.session:
        request.session[GUEST_KEY] = str(uuid4())
    return current_holder(request)


def remember(request: HttpRequest, hold: Hold) -> None:
    """Lets the picker show "yours" at the times of this browser."""
    kept = request.session.get(SESSION_HOLDS, {}) | {str(hold.pk): hold.slot_ids[0]}
    request.session[SESSION_HOLDS] = dict(list(kept.items())[-MOST_REMEMBERED:])


def open_account(request: HttpRequest, appointment: Appointment) -> None:
    """Signs a guest in to the account that their first booking has opened.

    A booking's code never opens an account that somebody has used before: its owner signs in.
    """
    if _patient(request) is None and is_first_visit(appointment.patient):
        login(request, appointment.patient, backend=_BACKEND)
        account_events.signed_in(appointment.patient, through="first booking")


def _patient(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
