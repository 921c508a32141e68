"""Who has a hold: a signed-in patient, or a guest's browser session."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from django.http import HttpRequest

from accounts.models import User
from bookings.models import Hold
from docbook.audit.services import Actor

GUEST_KEY = "guest_key"


@dataclass(frozen=True)
class Holder:
    """At least one of the two. A guest who signs in half-way has both."""

    patient: User | None = None
    guest_key: UUID | None = None

    @property
    def actor(self) -> Actor:
        return Actor("patient", self.patient.pk) if self.patient else Actor("guest")

    def owns(self, hold: Hold) -> bool:
        if self.patient is not None and hold.patient_id == self.patient.pk:
            return True
        # A hold that belongs to an account is no longer the browser's alone. The exception is the
        # guest who made it and is not signed in as somebody else.
        if hold.guest_key is None or hold.guest_key != self.guest_key:
            return False
        return self.patient is None or hold.patient_id in (None, self.patient.pk)


def current_holder(request: HttpRequest, *, begins: bool = False) -> Holder:
    """The signed-in patient, the guest of this session, or both after signing in half-way. A guest
    who `begins` gets the key of their session, unless it has one.
    """
    patient = request.user if isinstance(request.user, User) else None
    key = request.session.get(GUEST_KEY)
    if begins and patient is None and key is None:
        key = request.session[GUEST_KEY] = str(uuid4())
    return Holder(patient=patient, guest_key=UUID(key) if key else None)


def keys_of(patient_id: int | None, guest_key: UUID | None) -> list[str]:
    """The keys of the patient and the guest of a hold, for locks, limits and the gate. The first
    identifies the holder. A guest may have signed in since.
    """
    patient = [f"patient:{patient_id}"] if patient_id else []
    guest = [f"guest:{guest_key}"] if guest_key else []
    return patient + guest
