"""Who is booking in this browser, and the holds it has made."""

from uuid import UUID, uuid4

from django.contrib.auth import login
from django.http import HttpRequest

from accounts import account_events
from accounts.models import User
from accounts.services import is_first_visit
from bookings.actors.holder import Holder
from bookings.models import Hold
from doctors.views.detail import SESSION_HOLDS

GUEST_KEY = "guest_key"
MOST_REMEMBERED = 10
_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def current_holder(request: HttpRequest, *, begins: bool = False) -> Holder:
    """The signed-in patient, the guest of this session, or both after signing in half-way. A guest
    who `begins` gets the key of their session, unless it has one.
    """
    patient = request.user if isinstance(request.user, User) else None
    key = request.session.get(GUEST_KEY)
    if begins and patient is None and key is None:
        key = request.session[GUEST_KEY] = str(uuid4())
    return Holder(patient=patient, guest_key=UUID(key) if key else None)


def remember(request: HttpRequest, hold: Hold) -> None:
    """Lets the picker show "yours" at the times of this browser."""
    kept = request.session.get(SESSION_HOLDS, {}) | {str(hold.pk): hold.slot_ids[0]}
    request.session[SESSION_HOLDS] = dict(list(kept.items())[-MOST_REMEMBERED:])


def open_account(request: HttpRequest, *, visit_id: UUID) -> None:
    """Signs a guest in to the account that their first booking has opened.

    A booking's code never opens an account that somebody has used before: its owner signs in.
    """
    patient = User.objects.get(holds=visit_id)
    if is_first_visit(patient):
        login(request, patient, backend=_BACKEND)
        account_events.signed_in(patient, through="first booking")
