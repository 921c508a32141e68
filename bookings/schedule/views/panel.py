"""The visit that is open beside the grid of the schedule."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from bookings.actors.practice_member import PracticeMember
from bookings.schedule.forms.visits import ActForm, NoteForm
from bookings.schedule.services import note_of, open_visit
from bookings.schedule.visit import panel_of
from docbook.errors import NotFound


def panel_context(request: HttpRequest, *, reader: PracticeMember) -> dict[str, Any]:
    """Of the visit that the address names, if it names one. Raises NotFound for others'."""
    asked = request.GET.get("visit", "")
    return visit_context(_uuid(asked), reader=reader) if asked else {"panel": None}


def visit_context(
    appointment_id: UUID,
    *,
    reader: PracticeMember,
    act_form: ActForm | None = None,
    note_form: NoteForm | None = None,
) -> dict[str, Any]:
    """What `_visit.html` shows; records that it was read. Raises NotFound."""
    found = open_visit(appointment_id=appointment_id, by=reader)
    written = note_of(appointment_id)
    unsent = {"text": written.text, "version": written.version}
    return {
        "panel": panel_of(found),
        "visit_zone": found.time_zone,
        "act_form": act_form or ActForm(),
        "note_form": note_form or NoteForm(initial=unsent),
    }


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise NotFound from None
