"""Several hold or confirm with one call to the database, as a web process makes it in a rush."""

from proof.races.meetings.meeting import meet
from proof.races.stage import Act, Stage


@meet("hold", "hold", over="two times, each batch in its own order")
def _hold_two_times_in_two_orders(s: Stage) -> tuple[Act, Act]:
    return s.hold_together((s.ana, 0), (s.ben, 1)), s.hold_together((s.cleo, 1), (s.ben, 0))


@meet("hold", "hold", over="two people's holds, each batch in its own order")
def _hold_for_two_people_in_two_orders(s: Stage) -> tuple[Act, Act]:
    return s.hold_together((s.ana, 0), (s.ben, 1)), s.hold_together((s.ben, 2), (s.ana, 3))


@meet("hold", "hold", over="a time that a batch wants too")
def _hold_a_time_that_a_batch_wants(s: Stage) -> tuple[Act, Act]:
    return s.hold_together((s.ana, 0), (s.ben, 1)), s.hold(s.cleo, 1)


@meet("hold", "confirm", over="the time that is confirmed, wanted in a batch")
def _hold_in_a_batch_what_is_confirmed(s: Stage) -> tuple[Act, Act]:
    kept = s.kept(s.ana, 0)
    return s.hold_together((s.ben, 0), (s.cleo, 1)), s.confirm(kept)


@meet("hold", "sweep", over="a lapsed time, wanted in a batch")
def _hold_in_a_batch_what_has_lapsed(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.ana, 0))
    return s.hold_together((s.ben, 0), (s.cleo, 1)), s.sweep()


@meet("confirm", "confirm", over="the same two holds, each batch in its own order")
def _confirm_two_holds_in_two_orders(s: Stage) -> tuple[Act, Act]:
    first, second = s.kept(s.ana, 0), s.kept(s.ben, 1)
    return s.confirm_together(first, second), s.confirm_together(second, first)


@meet("confirm", "confirm", over="one patient's visits that overlap, in two batches")
def _confirm_overlapping_visits_in_batches(s: Stage) -> tuple[Act, Act]:
    here, there, other = s.kept(s.ana, 0), s.kept(s.ana, 0, by=s.b), s.kept(s.ben, 1)
    return s.confirm_together(here, other), s.confirm(there)


@meet("confirm", "release", over="one of a batch")
def _confirm_in_a_batch_what_is_given_back(s: Stage) -> tuple[Act, Act]:
    first, second = s.kept(s.ana, 0), s.kept(s.ben, 1)
    return s.confirm_together(first, second), s.release(second)


@meet("confirm", "cancel", over="the visit that one of a batch moves")
def _confirm_in_a_batch_what_moves_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    moving, other = s.moving(visit, 1), s.kept(s.ben, 2)
    return s.confirm_together(moving, other), s.cancel(visit)
