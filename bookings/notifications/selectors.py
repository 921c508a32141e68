"""Reads what messages tell, for many messages at once."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bookings.appointments.selectors.appointments import Contact, visits_with_contacts
from bookings.appointments.selectors.chains import Chain, chains_of
from bookings.appointments.selectors.versions import in_versions
from bookings.models import Appointment
from bookings.states import CALLED_OFF, AppointmentStatus
from docbook.outbox.receiving import Received
from docbook.outbox.selectors import waiting_among


@dataclass(frozen=True)
class Told:
    """A visit in the version that a message tells, and how to reach its patient. `published_at` is
    the moment when that state was reached.
    """

    appointment: Appointment
    contact: Contact
    chain: Chain
    published_at: datetime


class Visits:
    """The visits of a batch of messages, by their ids in text. Each look-up makes a copy, because
    messages tell different versions of one visit.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._found = visits_with_contacts(map(UUID, ids))

    def appointment(self, appointment_id: str) -> Appointment:
        """Raises Appointment.DoesNotExist."""
        return copy.copy(self._of(appointment_id)[0])

    def contact(self, appointment_id: str) -> Contact:
        return self._of(appointment_id)[1]

    def _of(self, appointment_id: str) -> tuple[Appointment, Contact]:
        if (found := self._found.get(UUID(appointment_id))) is None:
            raise Appointment.DoesNotExist
        return found


def told_now(messages: Sequence[Received], *, of: Visits) -> dict[int, Told]:
    """Each message's visit as it is now, by the message's id."""
    return _told([(each, of.appointment(each.ids["appointment_id"])) for each in messages], of=of)


def told_by_version(messages: Sequence[Received], *, of: Visits) -> dict[int, Told]:
    """Each message's visit in the version of the message, by the message's id. Without those that
    have nothing left to tell: the visit has begun, or the mail of its move, which names both times,
    was sent before.

    Messages of the previous release name no version. Then a changed visit is left to the mail about
    its change.
    """
    visits = [(each, of.appointment(each.ids["appointment_id"])) for each in messages]
    successors = {str(visit.replaced_by) for _each, visit in visits if visit.replaced_by}
    unsent = waiting_among("appointment.moved", about=successors) if successors else set()
    wanted = [
        (message, visit, int(message.ids.get("version") or visit.version))
        for message, visit in visits
        if visit.status == AppointmentStatus.CONFIRMED
        or (
            message.ids.get("version")
            and visit.status in CALLED_OFF
            and (visit.replaced_by is None or str(visit.replaced_by) in unsent)
        )
    ]
    versions = in_versions((visit, version) for _message, visit, version in wanted)
    messages = [message for message, _visit, _version in wanted]
    return _told(list(zip(messages, versions, strict=True)), of=of)


def _told(visits: Sequence[tuple[Received, Appointment]], *, of: Visits) -> dict[int, Told]:
    chains = chains_of([visit for _message, visit in visits])
    return {
        message.id: Told(
            appointment=visit,
            contact=of.contact(str(visit.pk)),
            chain=chains[visit.pk],
            published_at=message.published_at,
        )
        for message, visit in visits
    }
