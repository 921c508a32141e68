"""Everybody wants one time at one instant."""

import selectors
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from bookings.holding.codes import derive
from devstack.refusals import Refusal
from proof.client import Client, NoAnswer, headers_of
from proof.findings import Finding
from proof.history import Event, clock, told
from proof.plan import API, Calendar, Patient
from proof.stack import Stack

PATIENCE = 60.0
ALLOWED = (201, 409, 429)


def stampede(
    stack: Stack, *, calendar: Calendar, slot: int, patients: Sequence[Patient]
) -> list[Event]:
    """One hold for each patient, all sent before the first answer; then the winner confirms."""
    clients = [Client(stack.url, timeout=PATIENCE) for _ in patients]
    for client in clients:
        client.connect()
    invoked = [_invocation(number, patient, slot) for number, patient in enumerate(patients)]
    body = {"slotId": slot, "visitTypeId": calendar.single}
    for number, client in enumerate(clients):
        patient = patients[number]
        headers = headers_of(token=patient.token, address=patient.address, key=invoked[number].key)
        invoked[number] = replace(invoked[number], at=clock())
        client.send("POST", f"{API}/bookings", body, headers=headers)
    answers = _answers(clients, invoked)
    for client in clients:
        client.close()
    winners = [each for each in answers if each.status == 201]
    confirmations = [event for each in winners for event in _confirm(stack, each, patients)]
    return sorted([*invoked, *answers, *confirmations], key=lambda event: event.at)


def promises(history: Sequence[Event]) -> list[Finding]:
    answers = [each for each in history if each.f == "hold" and each.type != "invoke"]
    winners = sum(each.status == 201 for each in answers)
    strange = [str(each.status) for each in answers if each.status not in ALLOWED]
    return [
        Finding("winners too many or too few", abs(winners - 1)),
        Finding("answers that are neither 201, 409 nor 429", len(strange), tuple(strange[:5])),
    ]


def _invocation(number: int, patient: Patient, slot: int) -> Event:
    return Event(
        process=number,
        op=f"stampede-{slot}-{number}",
        type="invoke",
        f="hold",
        slots=(slot,),
        patient=patient.id,
        key=str(uuid4()),
    )


def _answers(clients: Sequence[Client], invoked: Sequence[Event]) -> list[Event]:
    """Each answer at the moment when it can be read."""
    found = []
    with selectors.DefaultSelector() as selector:
        for number, client in enumerate(clients):
            selector.register(client.connect(), selectors.EVENT_READ, number)
        while selector.get_map():
            ready = selector.select(timeout=PATIENCE)
            if not ready:
                raise Refusal(f"{len(selector.get_map())} requests were not answered.")
            for key, _events in ready:
                selector.unregister(key.fileobj)
                found.append(_answer(clients[key.data], invoked[key.data]))
    return found


def _answer(client: Client, event: Event) -> Event:
    try:
        return told(event, client.receive())
    except NoAnswer:
        return replace(event, type="info", at=clock())


def _confirm(stack: Stack, winner: Event, patients: Sequence[Patient]) -> list[Event]:
    patient = patients[winner.process]
    asked = replace(
        winner, op=f"{winner.op}-confirm", type="invoke", f="confirm", key="", at=clock()
    )
    code = derive(key=stack.otp_key, hold_id=UUID(winner.attempt), resend=0)
    headers = headers_of(token=patient.token, address=patient.address)
    path = f"{API}/bookings/{winner.attempt}/verify-otp"
    answer = Client(stack.url).call("POST", path, {"code": code}, headers=headers)
    return [asked, told(asked, answer)]
