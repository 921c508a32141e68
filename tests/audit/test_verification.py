"""Everything that somebody does behind the triggers is named."""

import re
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import F

from docbook.audit.models import AuditEvent, AuditSeal
from docbook.audit.seals import digest_of_seal
from docbook.audit.verification import breaks
from docbook.snapshot import one_snapshot
from tests.audit.chain import sealed, verified, without_triggers, write_events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def events() -> list[int]:
    """Nine events in three seals."""
    written = []
    for _ in range(3):
        batch = write_events(3)
        sealed(batch)
        written += batch
    return written


def tamper(change: Callable[[], object]) -> list[str]:
    with without_triggers():
        change()
    return verified()


def event(pk: int):
    return AuditEvent.objects.filter(pk=pk)


def seal(number: int):
    return AuditSeal.objects.filter(number=number)


def last_number() -> int:
    return AuditSeal.objects.order_by("-number").first().number


def number_of(event_id: int) -> int:
    return AuditSeal.objects.get(event_ids__contains=[event_id]).number


@pytest.mark.parametrize(
    "change",
    [
        {"action": "test.undone"},
        {"actor_kind": "patient"},
        {"actor_id": 7},
        {"object_type": "hold"},
        {"object_id": "77"},
        {"before": {"n": 1}},
        {"after": {"n": 77}},
        {"request_id": "another"},
        {"at": "2020-01-01T00:00:00Z"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_changed_event_is_named(events, change):
    number = number_of(events[4])
    found = tamper(lambda: event(events[4]).update(**change))
    assert len(found) == 1
    assert found[0].startswith(f"Changed since seal {number}: ")
    assert str(events[4]) in found[0]


def test_missing_event_is_named(events):
    number = number_of(events[4])
    found = tamper(lambda: event(events[4]).delete())
    assert found == [f"Missing since seal {number}: event {events[4]}."]


def test_added_event_is_named(events):
    inside = AuditEvent.objects.get(pk=events[4])
    inside.pk = None
    found = tamper(lambda: inside.save(force_insert=True))
    assert found == [f"Added after seal {number_of(events[4])}: event {inside.pk}."]


def test_event_that_is_moved_to_another_transaction_is_named(events):
    was, becomes = number_of(events[0]), AuditEvent.objects.get(pk=events[8]).xact
    found = tamper(lambda: event(events[0]).update(xact=becomes))
    assert found == [
        f"Missing since seal {was}: event {events[0]}.",
        f"Added after seal {number_of(events[8])}: event {events[0]}.",
    ]


def test_two_events_that_change_places_are_named(events):
    one, other = AuditEvent.objects.get(pk=events[0]), AuditEvent.objects.get(pk=events[8])

    def swap() -> None:
        event(one.pk).update(after=other.after)
        event(other.pk).update(after=one.after)

    assert len(tamper(swap)) == 2


def test_event_that_is_dated_before_all_transactions_is_named(events):
    """The first seal covers the whole past."""
    found = tamper(lambda: event(events[8]).update(xact=-1))
    assert f"Added after seal 1: event {events[8]}." in found


def test_event_of_a_transaction_that_never_was_is_named(events):
    [extra] = write_events(1)
    found = tamper(lambda: event(extra).update(xact=2**60))
    assert found == [f"From a transaction that never existed: event {extra}."]


@pytest.mark.parametrize(
    "change",
    [
        {"event_ids": [1]},
        {"events_digest": "f" * 64},
        {"sealed_at": "2020-01-01T00:00:00Z"},
        {"digest": "f" * 64},
        {"until": F("until") + 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_changed_seal_is_named(events, change):
    found = tamper(lambda: seal(2).update(**change))
    assert found[0] == "Seal 2 was changed."


def test_seal_that_was_made_up_to_fit_a_changed_event_breaks_the_chain(events):
    """Somebody who knows how digests are made, and stops after one seal."""

    def forge() -> None:
        forged = AuditSeal.objects.get(number=2)
        forged.events_digest = "f" * 64
        seal(2).update(events_digest=forged.events_digest, digest=digest_of_seal(forged))

    assert "Seal 3 does not follow seal 2." in tamper(forge)


def test_missing_seal_is_named(events):
    assert tamper(lambda: seal(2).delete()) == ["Seal 2 is missing."]


def test_missing_first_seal_is_named(events):
    assert tamper(lambda: seal(1).delete()) == ["Seal 1 is missing."]


def test_the_end_of_the_chain_needs_a_witness(events):
    """If the end is cut off and made again, the chain looks whole. Only a kept digest of a seal
    shows the difference.
    """
    last = AuditSeal.objects.order_by("-number").first()
    witness = f"{last.number}:{last.digest}"
    assert run("--witness", witness) == (0, "The chain is unbroken.")
    with without_triggers():
        seal(last.number).delete()
    sealed(events[-1:])
    assert verified() == []
    assert run("--witness", witness) == (
        1,
        f"Seal {last.number} is not the one that was witnessed.",
    )


def test_only_the_newest_seals_are_looked_at_when_asked(events):
    def broken(**options: int) -> int:
        with one_snapshot():
            return len(list(breaks(**options)))

    with without_triggers():
        event(events[0]).delete()
    distance = last_number() - number_of(events[0])
    assert broken() == broken(newest=distance + 1) == broken(newest=10**6) == 1
    assert broken(newest=distance) == 0


def test_command_tells_what_there_is_and_ends_well(events):
    write_events(2)
    status, last_line = run()
    assert (status, last_line) == (0, "The chain is unbroken.")


def test_command_ends_with_1_at_a_break(events):
    with without_triggers():
        event(events[4]).delete()
    assert run() == (1, f"Missing since seal {number_of(events[4])}: event {events[4]}.")


def test_sealing_by_hand_says_how_many():
    write_events(1)
    out = StringIO()
    call_command("seal_audit", stdout=out)
    assert re.fullmatch(r"[01] events sealed\n", out.getvalue())


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and last line."""
    out = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code), out.getvalue().splitlines()[-1]
    return 0, out.getvalue().splitlines()[-1]
