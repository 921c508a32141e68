"""A caller who asks for somebody else's object gets the answer for an unknown one, and is in the
audit.
"""

from uuid import uuid4

import pytest

from docbook.audit.models import AuditEvent
from docbook.http.rate_policies import POLICIES
from docbook.observability import metrics
from tests.api.client import Api, problem
from tests.factories import make_appointment, make_doctor, make_hold, make_patient, make_slots
from tests.pages.browser import signed_in

pytestmark = pytest.mark.django_db


def refused() -> list[tuple[str, str, int | None]]:
    events = AuditEvent.objects.filter(actor_kind="stranger").order_by("id")
    return [(each.action, each.object_id, each.actor_id) for each in events]


CALLS = {
    "read": lambda api, pk: api.get(f"bookings/{pk}"),
    "cancel": lambda api, pk: api.cancel(pk),
    "cancel with a key": lambda api, pk: api.cancel(pk, key=str(uuid4())),
    "move": lambda api, pk: api.times_to_move_to(pk),
}


@pytest.mark.parametrize("call", CALLS)
def test_visit_of_somebody_else_is_not_found_and_written_down(call: str) -> None:
    visit, stranger = make_appointment(slots=make_slots(doctor=make_doctor())), make_patient()
    problem(CALLS[call](Api(stranger), visit.pk), code="not-found", status=404)
    assert refused() == [("appointment.refused", str(visit.pk), stranger.pk)]
    assert "docbook_strangers_refused_total 1.0" in metrics.exposition().decode()


def test_pages_write_it_down_as_well() -> None:
    slots, stranger = make_slots(doctor=make_doctor(), count=2), make_patient()
    visit, hold = make_appointment(slots=slots[:1]), make_hold(slots=slots[1:])
    browser = signed_in(stranger)
    assert browser.get(f"/appointments/{visit.pk}/").status_code == 404
    assert browser.get(f"/book/{hold.pk}/").status_code == 404
    assert refused() == [
        ("appointment.refused", str(visit.pk), stranger.pk),
        ("hold.refused", str(hold.pk), stranger.pk),
    ]


def test_unknown_id_is_nobodys_and_not_written_down() -> None:
    problem(Api(make_patient()).get(f"bookings/{uuid4()}"), code="not-found", status=404)
    assert refused() == []


def test_stranger_who_asks_all_day_does_not_fill_the_audit() -> None:
    visit, stranger = make_appointment(slots=make_slots(doctor=make_doctor())), make_patient()
    most = POLICIES["audit-strangers"].rate.most
    for _ in range(most + 5):
        Api(stranger).get(f"bookings/{visit.pk}")
    assert len(refused()) == most
