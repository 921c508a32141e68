"""Which acts meet, and over what: for each pair of verbs at least one meeting."""

from itertools import combinations_with_replacement

from proof.races.meetings import holding, keeping, together, visits_and_offers
from proof.races.meetings.meeting import MEETINGS, Meeting
from proof.races.verbs import VERBS

__all__ = ["MEETINGS", "Meeting", "holding", "keeping", "together", "visits_and_offers"]

PAIRS = tuple(combinations_with_replacement(VERBS, 2))


def pairs_without_a_meeting() -> list[tuple[str, str]]:
    """In no order of the two."""
    met = {frozenset((each.first, each.second)) for each in MEETINGS}
    return [pair for pair in PAIRS if frozenset(pair) not in met]
