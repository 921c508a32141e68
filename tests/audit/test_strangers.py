"""A caller who asks for somebody else's object gets the answer for an unknown one, and is in the
audit.
"""

from uuid import uuid4

import pytest
from django.db import transaction
from django_redis import get_redis_connection

from docbook.audit.models import AuditEvent
from docbook.http.rate_policies import POLICIES
from docbook.observability import metrics
from tests.access.table import names_of
from tests.access.test_every_route import LINES, STRANGERS, Line, ask
from tests.access.world import PARTIES, World, make_world, unknown
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


# The addresses of one object, and the day of one doctor.
OF_ONE_OBJECT = [*STRANGERS, *(line for line in LINES if "?doctor=" in line.route)]


def written_down(
    world: World, line: Line, *, party: str, names: dict[str, object] | None = None
) -> list[tuple[str, str, int | None]]:
    """What the audit says of this request, which leaves nothing else behind."""
    get_redis_connection("default").flushdb()
    mark = transaction.savepoint()
    try:
        ask(world, line, party=party, names=names)
        return refused()
    finally:
        transaction.savepoint_rollback(mark)


@pytest.mark.parametrize(
    "line", OF_ONE_OBJECT, ids=lambda line: f"{line.method} {line.route}".replace("/", "|")
)
def test_everybody_who_asks_for_what_is_not_theirs_is_written_down(line: Line) -> None:
    world = make_world()
    own = world.names | names_of(world, method=line.method, route=line.route)
    for party, status in zip(PARTIES, line.statuses, strict=True):
        if status != 404:
            continue
        ids = {str(value) for value in own.values()}
        asker = world.people[party].pk if party in world.people else None
        [(action, pk, actor)] = written_down(world, line, party=party)
        assert action.endswith(".refused")
        assert (pk in ids, actor) == (True, asker), party
        assert written_down(world, line, party=party, names=unknown(own)) == [], party
