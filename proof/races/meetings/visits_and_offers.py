"""Visits change, times are offered, and limits are reached."""

from docbook.http.rate_policies import POLICIES
from proof.races.meetings.meeting import meet
from proof.races.stage import Act, Stage


@meet("cancel", "cancel", over="one visit")
def _visits_cancelled_twice(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.cancel(visit), s.cancel(visit)


@meet("cancel", "move", over="one visit")
def _visits_cancelled_or_moved(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.cancel(visit), s.confirm(s.moving(visit, 1))


@meet("cancel", "move by practice", over="one visit")
def _visits_cancelled_or_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.cancel(visit), s.move_for_them(visit, 1)


@meet("cancel", "offer", over="a time that somebody waits for")
def _visits_cancelled_and_offered(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.cancel(s.visit(s.ana, 0)), s.offer(0)


@meet("cancel", "accept", over="the visit that the offer moves")
def _visits_cancelled_or_moved_by_offer(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 2)
    return s.cancel(visit), s.accept(s.offered(s.ana, 0, moves=visit))


@meet("move", "move", over="one visit")
def _visits_two_moves(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.confirm(s.moving(visit, 1)), s.confirm(s.moving(visit, 2))


@meet("move", "move", over="neighbours")
def _visits_in_a_row(s: Stage) -> tuple[Act, Act]:
    first, second = s.visit(s.ana, 0), s.visit(s.ben, 1)
    move = s.moving(second, 2)
    return s.confirm(s.moving(first, 3)), s.confirm(move)


@meet("move", "move by practice", over="one visit")
def _visits_moved_or_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.confirm(s.moving(visit, 1)), s.move_for_them(visit, 2)


@meet("move", "offer", over="the time that the visit leaves")
def _visits_moved_and_offered(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.confirm(s.moving(s.visit(s.ana, 0), 1)), s.offer(0)


@meet("move", "accept", over="one visit")
def _visits_moved_or_moved_by_offer(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 2)
    offer = s.offered(s.ana, 0, moves=visit)
    return s.confirm(s.moving(visit, 3)), s.accept(offer)


@meet("move by practice", "move by practice", over="one visit")
def _visits_moved_for_them_twice(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.move_for_them(visit, 1), s.move_for_them(visit, 2)


@meet("move by practice", "move by practice", over="one free time")
def _visits_two_moved_to_one_time(s: Stage) -> tuple[Act, Act]:
    first, second = s.visit(s.ana, 0), s.visit(s.ben, 1)
    return s.move_for_them(first, 2), s.move_for_them(second, 2)


@meet("move by practice", "offer", over="one free time")
def _visits_moved_there_or_offered(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.move_for_them(s.visit(s.ana, 0), 1), s.offer(1)


@meet("move by practice", "accept", over="one visit")
def _visits_moved_or_accepted(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 2)
    offer = s.offered(s.ana, 0, moves=visit)
    return s.move_for_them(visit, 3), s.accept(offer)


@meet("offer", "offer", over="one free time")
def _offers_told_twice(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.offer(0), s.offer(0)


@meet("offer", "offer", over="the only one who waits")
def _offers_two_times(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.offer(0), s.offer(1)


@meet("offer", "accept", over="the patient's hour, with two doctors")
def _offers_another_offer(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    s.waits(s.cleo, by=s.b)
    return s.offer(0, by=s.b), s.accept(offer)


@meet("accept", "accept", over="one offer")
def _offers_accepted_twice(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    return s.accept(offer), s.accept(offer)


@meet("mark", "cancel", over="one visit")
def _further_arrived_or_cancelled(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.mark(visit), s.cancel(visit)


@meet("mark", "move", over="one visit")
def _further_arrived_or_moved(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.mark(visit), s.confirm(s.moving(visit, 1))


@meet("leave the waitlist", "offer", over="one wish")
def _further_left_or_offered(s: Stage) -> tuple[Act, Act]:
    return s.leave(s.waits(s.cleo)), s.offer(0)


@meet("leave the waitlist", "accept", over="one offer")
def _further_left_or_accepted(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    entry = offer.waitlist_entry
    assert entry is not None  # noqa: S101 - offers have one
    return s.leave(entry), s.accept(offer)


@meet("hold", "hold", over="the last of a patient's three holds")
def _further_hoarded(s: Stage) -> tuple[Act, Act]:
    s.kept(s.ana, 0)
    s.kept(s.ana, 1)
    return s.hold(s.ana, 2), s.hold(s.ana, 3)


@meet("hold", "hold", over="the last hold from an address", LIVE_HOLDS_PER_ADDRESS=1)
def _further_from_one_address(s: Stage) -> tuple[Act, Act]:
    return s.hold(s.ana, 0, address=4711), s.hold(s.ben, 1, address=4711)


@meet("hold", "hold", over="the last place of a doctor's day")
def _further_on_a_day_that_fills(s: Stage) -> tuple[Act, Act]:
    s.takes_a_day(1)
    return s.hold(s.ana, 0), s.hold(s.ben, 1)


@meet("hold", "cancel", over="the only place of a doctor's day")
def _further_on_a_day_that_empties(s: Stage) -> tuple[Act, Act]:
    s.takes_a_day(1)
    visit = s.visit(s.ana, 0)
    return s.hold(s.ben, 1), s.cancel(visit)


@meet("hold", "hold", over="one Idempotency-Key")
def _further_sent_twice(s: Stage) -> tuple[Act, Act]:
    return s.hold_by_api(s.ana, 0, key="tap-1"), s.hold_by_api(s.ana, 0, key="tap-1")


@meet("hold", "cancel", over="a slot that the visit shares with its own move")
def _further_of_a_move_by_less(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0, long=True)
    s.moving(visit, 1)
    return s.hold(s.ben, 1), s.cancel(visit)


@meet("wrong code", "wrong code", over="the last guess at a mailbox, in two holds")
def _further_guessed_in_two_holds(s: Stage) -> tuple[Act, Act]:
    holds = [s.kept_by_guest(at, email="dana@example.test") for at in (0, 1)]
    s.guessed(holds[0], POLICIES["guess-strangers"].rate.most - 1)
    return s.wrong_code(holds[0]), s.wrong_code(holds[1])


@meet(
    "confirm", "confirm", over="the last visit that a patient may have", COMING_VISITS_PER_PATIENT=1
)
def _further_last_visit(s: Stage) -> tuple[Act, Act]:
    return s.confirm(s.kept(s.ana, 0)), s.confirm(s.kept(s.ana, 1, by=s.b))


@meet("confirm", "confirm", over="the patient's hour, across a month's end")
def _further_across_the_months_end(s: Stage) -> tuple[Act, Act]:
    one, other = s.across_the_months_end()
    first, second = s.kept(s.ana, 0, by=one, long=True), s.kept(s.ana, 1, by=other)
    return s.confirm(first), s.confirm(second)


@meet("confirm", "expire", over="the last moment")
def _last_moment_confirm_expire(s: Stage) -> tuple[Act, Act]:
    return s.confirm(s.kept(s.ana, 0)), s.after_a_while(s.hold(s.ben, 0))


@meet("confirm", "sweep", over="the last moment")
def _last_moment_confirm_sweep(s: Stage) -> tuple[Act, Act]:
    return s.confirm(s.kept(s.ana, 0)), s.after_a_while(s.sweep())


@meet("wrong code", "expire", over="the last moment")
def _last_moment_wrong_expire(s: Stage) -> tuple[Act, Act]:
    return s.wrong_code(s.kept(s.ana, 0, wrong=4)), s.after_a_while(s.hold(s.ben, 0))


@meet("resend", "expire", over="the last moment")
def _last_moment_resend_expire(s: Stage) -> tuple[Act, Act]:
    return s.resend(s.kept(s.ana, 0)), s.after_a_while(s.hold(s.ben, 0))


@meet("resend", "sweep", over="the last moment")
def _last_moment_resend_sweep(s: Stage) -> tuple[Act, Act]:
    return s.resend(s.kept(s.ana, 0)), s.after_a_while(s.sweep())


@meet("release", "expire", over="the last moment")
def _last_moment_release_expire(s: Stage) -> tuple[Act, Act]:
    return s.release(s.kept(s.ana, 0)), s.after_a_while(s.hold(s.ben, 0))


@meet("release", "sweep", over="the last moment")
def _last_moment_release_sweep(s: Stage) -> tuple[Act, Act]:
    return s.release(s.kept(s.ana, 0)), s.after_a_while(s.sweep())


@meet("expire", "move", over="the last moment")
def _last_moment_move_expire(s: Stage) -> tuple[Act, Act]:
    move = s.moving(s.visit(s.ana, 0), 1)
    return s.after_a_while(s.hold(s.ben, 1)), s.confirm(move)


@meet("sweep", "move", over="the last moment")
def _last_moment_move_sweep(s: Stage) -> tuple[Act, Act]:
    move = s.moving(s.visit(s.ana, 0), 1)
    return s.after_a_while(s.sweep()), s.confirm(move)


@meet("expire", "accept", over="the last moment")
def _last_moment_accept_expire(s: Stage) -> tuple[Act, Act]:
    return s.after_a_while(s.hold(s.ben, 0)), s.accept(s.offered(s.cleo, 0))


@meet("sweep", "accept", over="the last moment")
def _last_moment_accept_sweep(s: Stage) -> tuple[Act, Act]:
    return s.after_a_while(s.sweep()), s.accept(s.offered(s.cleo, 0))


@meet("confirm", "move by practice", over="the patient's hour, across a month's end")
def _further_moved_across_the_months_end(s: Stage) -> tuple[Act, Act]:
    one, other = s.across_the_months_end()
    visit = s.visit(s.ana, 2, by=one, long=True)
    return s.confirm(s.kept(s.ana, 1, by=other)), s.move_for_them(visit, 0, by=one)


@meet("confirm", "expire", over="a part of a lapsed time")
def _part_of_a_lapsed_time_confirm(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, long=True))
    return s.confirm(hold), s.hold(s.ben, 1)


@meet("resend", "expire", over="a part of a lapsed time")
def _part_of_a_lapsed_time_resend(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, long=True))
    return s.resend(hold), s.hold(s.ben, 1)


@meet("release", "expire", over="a part of a lapsed time")
def _part_of_a_lapsed_time_release(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, long=True))
    return s.release(hold), s.hold(s.ben, 1)


@meet("wrong code", "expire", over="a part of a lapsed time")
def _part_of_a_lapsed_time_wrong_code(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, long=True))
    return s.wrong_code(hold), s.hold(s.ben, 1)


@meet("confirm", "release", over="a long visit")
def _long_visit(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, long=True)
    return s.confirm(hold), s.release(hold)
