"""A guest's session after their first booking."""

from uuid import UUID

from django.contrib.auth import login
from django.http import HttpRequest

from accounts import account_events
from accounts.models import User
from accounts.services import is_first_visit

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def open_account(request: HttpRequest, *, visit_id: UUID) -> None:
    """Signs a guest in to the account that their first booking has opened.

    A booking's code never opens an account that somebody has used before: its owner signs in.
    """
    patient = User.objects.get(holds=visit_id)
    if is_first_visit(patient):
        login(request, patient, backend=_BACKEND)
        account_events.signed_in(patient, through="first booking")
