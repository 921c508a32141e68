"""Which acts meet, and over what: for each pair of verbs at least one meeting."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

from docbook.http.rate_policies import POLICIES
from proof.races.stage import Act, Stage
from proof.races.verbs import VERBS

PAIRS = tuple(combinations_with_replacement(VERBS, 2))
Prepare = Callable[[Stage], tuple[Act, Act]]


@dataclass(frozen=True)
class Meeting:
    """`over` says what they both want. `settings` are those of the moment."""

    first: str
    second: str
    over: str
    prepare: Prepare
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.first} + {self.second}: {self.over}"


MEETINGS: list[Meeting] = []


def _meet(
    first: str,
    second: str,
    *,
    over: str,
    **settings: object,
) -> Callable[[Prepare], Prepare]:
    """The function prepares the rows and returns the two acts."""

    def add(prepare: Prepare) -> Prepare:
        MEETINGS.append(Meeting(first, second, over, prepare, settings))
        return prepare

    return add


@_meet("hold", "hold", over="one free time")
def _hold_one_free_time(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ana, 0), s.hold(s.ben, 0))


@_meet("hold", "hold", over="long visits that share a slot")
def _hold_long_visits_that_share_a_slot(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ana, 0, reason=s.a.long), s.hold(s.ben, 1, reason=s.a.long))


@_meet("hold", "hold", over="a slot kept free after a visit")
def _hold_a_slot_kept_free(s: Stage) -> tuple[Act, Act]:
    return s.hold(s.ana, 0, reason=s.a.with_break), s.hold(s.ben, 1)


@_meet("hold", "confirm", over="the time that is confirmed")
def _hold_the_time_that_is_confirmed(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.confirm(s.kept(s.ana, 0)))


@_meet("hold", "wrong code", over="the time that a fifth wrong code frees")
def _hold_the_time_that_a_fifth_wrong_code_frees(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.wrong_code(s.kept(s.ana, 0, wrong=4)))


@_meet("hold", "resend", over="the time that waits for its new code")
def _hold_the_time_that_waits_for_its_new_code(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.resend(s.kept(s.ana, 0)))


@_meet("hold", "release", over="the time that is given back")
def _hold_the_time_that_is_given_back(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.release(s.kept(s.ana, 0)))


@_meet("hold", "expire", over="a lapsed time, which its holder wants again")
def _hold_a_lapsed_time_which_its_holder_wants_again(s: Stage) -> tuple[Act, Act]:
    return (s.lapsed(s.kept(s.ana, 0)), s.hold(s.ana, 0), s.hold(s.ben, 0))[1:]


@_meet("hold", "sweep", over="a part of a lapsed time")
def _hold_a_part_of_a_lapsed_time(s: Stage) -> tuple[Act, Act]:
    return (s.lapsed(s.kept(s.ana, 0, long=True)), s.hold(s.ben, 1), s.sweep())[1:]


@_meet("hold", "cancel", over="the time of the cancelled visit")
def _hold_the_time_of_the_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.cancel(s.visit(s.ana, 0)))


@_meet("hold", "move", over="the time that the visit leaves")
def _hold_the_time_that_a_move_leaves(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.confirm(s.moving(s.visit(s.ana, 0), 1)))


@_meet("hold", "move by practice", over="the new time of the visit")
def _hold_the_new_time_of_the_visit(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 1), s.move_for_them(s.visit(s.ana, 0), 1))


@_meet("hold", "move by practice", over="the time that the visit leaves")
def _hold_the_time_that_the_visit_leaves(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.move_for_them(s.visit(s.ana, 0), 1))


@_meet("hold", "offer", over="a time that somebody waits for")
def _hold_a_time_that_somebody_waits_for(s: Stage) -> tuple[Act, Act]:
    return (s.waits(s.cleo), s.hold(s.ben, 0), s.offer(0))[1:]


@_meet("hold", "accept", over="the patient's hour, with another doctor")
def _hold_the_patients_hour_with_another_doctor(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.cleo, 0, by=s.b), s.accept(s.offered(s.cleo, 0)))


@_meet("confirm", "confirm", over="one hold")
def _confirm_the_same(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.confirm(hold), s.confirm(hold)


@_meet("confirm", "confirm", over="the patient's hour, with two doctors")
def _confirm_two_doctors(s: Stage) -> tuple[Act, Act]:
    return s.confirm(s.kept(s.ana, 0)), s.confirm(s.kept(s.ana, 0, by=s.b))


@_meet("confirm", "wrong code", over="the last attempt")
def _confirm_fifth_code(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, wrong=4)
    return s.confirm(hold), s.wrong_code(hold)


@_meet("confirm", "resend", over="one hold")
def _confirm_new_code(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.confirm(hold), s.resend(hold)


@_meet("confirm", "release", over="one hold")
def _confirm_given_back(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.confirm(hold), s.release(hold)


@_meet("confirm", "expire", over="a lapsed time")
def _confirm_taken_over(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.confirm(hold), s.hold(s.ben, 0)


@_meet("confirm", "sweep", over="a lapsed time")
def _confirm_swept(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.confirm(hold), s.sweep()


@_meet("confirm", "cancel", over="the patient's hour, with two doctors")
def _confirm_instead_of_a_visit(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.confirm(hold), s.cancel(s.visit(s.ana, 0, by=s.b))


@_meet("confirm", "move", over="the patient's hour, with two doctors")
def _confirm_where_a_visit_moves(s: Stage) -> tuple[Act, Act]:
    hold, visit = s.kept(s.ana, 1), s.visit(s.ana, 0, by=s.b)
    return s.confirm(hold), s.confirm(s.moving(visit, 1, by=s.b))


@_meet("confirm", "move by practice", over="the patient's hour, with two doctors")
def _confirm_where_it_is_moved(s: Stage) -> tuple[Act, Act]:
    hold, visit = s.kept(s.ana, 1), s.visit(s.ana, 0, by=s.b)
    return s.confirm(hold), s.move_for_them(visit, 1, by=s.b)


@_meet("confirm", "offer", over="the wish of one patient")
def _confirm_while_waiting(s: Stage) -> tuple[Act, Act]:
    s.waits(s.ana)
    return s.confirm(s.kept(s.ana, 0)), s.offer(1)


@_meet("confirm", "accept", over="the patient's hour, with two doctors")
def _confirm_beside_an_offer(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.ana, 0)
    return s.confirm(s.kept(s.ana, 0, by=s.b)), s.accept(offer)


@_meet("wrong code", "wrong code", over="the last attempts")
def _wrong_code_two_guesses(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, wrong=3)
    return s.wrong_code(hold), s.wrong_code(hold)


@_meet("wrong code", "resend", over="one hold")
def _wrong_code_new_code(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, wrong=4)
    return s.wrong_code(hold), s.resend(hold)


@_meet("wrong code", "release", over="one hold")
def _wrong_code_given_back(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, wrong=4)
    return s.wrong_code(hold), s.release(hold)


@_meet("wrong code", "expire", over="a lapsed time")
def _wrong_code_taken_over(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, wrong=4))
    return s.wrong_code(hold), s.hold(s.ben, 0)


@_meet("wrong code", "sweep", over="a lapsed time")
def _wrong_code_swept(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, wrong=4))
    return s.wrong_code(hold), s.sweep()


@_meet("wrong code", "cancel", over="the new time of the visit")
def _wrong_code_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.wrong_code(s.moving(visit, 1, wrong=4)), s.cancel(visit)


@_meet("wrong code", "move", over="two new times of a visit")
def _wrong_code_of_a_moved_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.wrong_code(s.moving(visit, 1, wrong=4)), s.confirm(s.moving(visit, 2))


@_meet("wrong code", "move by practice", over="the new time of a visit")
def _wrong_code_of_a_visit_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.wrong_code(s.moving(visit, 1, wrong=4)), s.move_for_them(visit, 1)


@_meet("wrong code", "offer", over="a time that somebody waits for")
def _wrong_code_awaited(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.wrong_code(s.kept(s.ana, 0, wrong=4)), s.offer(0)


@_meet("wrong code", "accept", over="one offer")
def _wrong_code_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0, wrong=4)
    return s.wrong_code(offer), s.accept(offer)


@_meet("resend", "resend", over="one hold")
def _resend_two_codes(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.resend(hold), s.resend(hold)


@_meet("resend", "release", over="one hold")
def _resend_given_back(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.resend(hold), s.release(hold)


@_meet("resend", "expire", over="a lapsed time")
def _resend_taken_over(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.resend(hold), s.hold(s.ben, 0)


@_meet("resend", "sweep", over="a lapsed time")
def _resend_swept(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.resend(hold), s.sweep()


@_meet("resend", "cancel", over="the new time of the visit")
def _resend_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.resend(s.moving(visit, 1)), s.cancel(visit)


@_meet("resend", "move", over="one hold")
def _resend_of_a_move(s: Stage) -> tuple[Act, Act]:
    move = s.moving(s.visit(s.ana, 0), 1)
    return s.resend(move), s.confirm(move)


@_meet("resend", "move by practice", over="the visit")
def _resend_of_a_visit_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.resend(s.moving(visit, 1)), s.move_for_them(visit, 2)


@_meet("resend", "offer", over="the patient's hour, with two doctors")
def _resend_elsewhere(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.resend(s.kept(s.cleo, 0, by=s.b)), s.offer(0)


@_meet("resend", "accept", over="one offer")
def _resend_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    return s.resend(offer), s.accept(offer)


@_meet("release", "release", over="one hold")
def _release_twice(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.release(hold), s.release(hold)


@_meet("release", "expire", over="a lapsed time")
def _release_taken_over(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.release(hold), s.hold(s.ben, 0)


@_meet("release", "sweep", over="a lapsed time")
def _release_swept(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.release(hold), s.sweep()


@_meet("release", "cancel", over="the new time of the visit")
def _release_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.release(s.moving(visit, 1)), s.cancel(visit)


@_meet("release", "move", over="one hold")
def _release_of_a_move(s: Stage) -> tuple[Act, Act]:
    move = s.moving(s.visit(s.ana, 0), 1)
    return s.release(move), s.confirm(move)


@_meet("release", "move by practice", over="the new time of the visit")
def _release_of_a_visit_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.release(s.moving(visit, 1)), s.move_for_them(visit, 1)


@_meet("release", "offer", over="a time that somebody waits for")
def _release_awaited(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.release(s.kept(s.ana, 0)), s.offer(0)


@_meet("release", "accept", over="one offer")
def _release_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    return s.release(offer), s.accept(offer)


@_meet("expire", "expire", over="a lapsed time")
def _expire_two_heirs(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.ana, 0))
    return s.hold(s.ben, 0), s.hold(s.cleo, 0)


@_meet("expire", "expire", over="two parts of a lapsed time")
def _expire_two_parts(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.ana, 0, long=True))
    return s.hold(s.ben, 0), s.hold(s.cleo, 1)


@_meet("expire", "sweep", over="a lapsed time")
def _expire_swept(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.ana, 0))
    return s.hold(s.ben, 0), s.sweep()


@_meet("expire", "cancel", over="the lapsed new time of the visit")
def _expire_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    s.lapsed(s.moving(visit, 1))
    return s.hold(s.ben, 1), s.cancel(visit)


@_meet("expire", "move", over="a lapsed time")
def _expire_of_a_move(s: Stage) -> tuple[Act, Act]:
    move = s.lapsed(s.moving(s.visit(s.ana, 0), 1))
    return s.hold(s.ben, 1), s.confirm(move)


@_meet("expire", "move by practice", over="a lapsed time")
def _expire_for_a_visit(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.cleo, 1))
    return s.hold(s.ben, 1), s.move_for_them(s.visit(s.ana, 0), 1)


@_meet("expire", "offer", over="parts of a lapsed time")
def _expire_awaited(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    s.lapsed(s.kept(s.ana, 0, long=True))
    return s.hold(s.ben, 1), s.offer(0)


@_meet("expire", "accept", over="a lapsed offer")
def _expire_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.lapsed(s.offered(s.cleo, 0))
    return s.hold(s.ben, 0), s.accept(offer)


@_meet("sweep", "sweep", over="a lapsed time")
def _sweep_twice(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.ana, 0))
    return s.sweep(), s.sweep()


@_meet("sweep", "cancel", over="the lapsed new time of the visit")
def _sweep_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    s.lapsed(s.moving(visit, 1))
    return s.sweep(), s.cancel(visit)


@_meet("sweep", "move", over="a lapsed time")
def _sweep_of_a_move(s: Stage) -> tuple[Act, Act]:
    move = s.lapsed(s.moving(s.visit(s.ana, 0), 1))
    return s.sweep(), s.confirm(move)


@_meet("sweep", "move by practice", over="a lapsed time")
def _sweep_for_a_visit(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.cleo, 1))
    return s.sweep(), s.move_for_them(s.visit(s.ana, 0), 1)


@_meet("sweep", "offer", over="a lapsed time that somebody waits for")
def _sweep_awaited(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    s.lapsed(s.kept(s.ana, 0))
    return s.sweep(), s.offer(0)


@_meet("sweep", "accept", over="a lapsed offer")
def _sweep_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.lapsed(s.offered(s.cleo, 0))
    return s.sweep(), s.accept(offer)


@_meet("cancel", "cancel", over="one visit")
def _visits_cancelled_twice(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.cancel(visit), s.cancel(visit)


@_meet("cancel", "move", over="one visit")
def _visits_cancelled_or_moved(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.cancel(visit), s.confirm(s.moving(visit, 1))


@_meet("cancel", "move by practice", over="one visit")
def _visits_cancelled_or_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.cancel(visit), s.move_for_them(visit, 1)


@_meet("cancel", "offer", over="a time that somebody waits for")
def _visits_cancelled_and_offered(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.cancel(s.visit(s.ana, 0)), s.offer(0)


@_meet("cancel", "accept", over="the visit that the offer moves")
def _visits_cancelled_or_moved_by_offer(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 2)
    return s.cancel(visit), s.accept(s.offered(s.ana, 0, moves=visit))


@_meet("move", "move", over="one visit")
def _visits_two_moves(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.confirm(s.moving(visit, 1)), s.confirm(s.moving(visit, 2))


@_meet("move", "move", over="neighbours")
def _visits_in_a_row(s: Stage) -> tuple[Act, Act]:
    first, second = s.visit(s.ana, 0), s.visit(s.ben, 1)
    move = s.moving(second, 2)
    return s.confirm(s.moving(first, 3)), s.confirm(move)


@_meet("move", "move by practice", over="one visit")
def _visits_moved_or_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.confirm(s.moving(visit, 1)), s.move_for_them(visit, 2)


@_meet("move", "offer", over="the time that the visit leaves")
def _visits_moved_and_offered(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.confirm(s.moving(s.visit(s.ana, 0), 1)), s.offer(0)


@_meet("move", "accept", over="one visit")
def _visits_moved_or_moved_by_offer(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 2)
    offer = s.offered(s.ana, 0, moves=visit)
    return s.confirm(s.moving(visit, 3)), s.accept(offer)


@_meet("move by practice", "move by practice", over="one visit")
def _visits_moved_for_them_twice(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.move_for_them(visit, 1), s.move_for_them(visit, 2)


@_meet("move by practice", "move by practice", over="one free time")
def _visits_two_moved_to_one_time(s: Stage) -> tuple[Act, Act]:
    first, second = s.visit(s.ana, 0), s.visit(s.ben, 1)
    return s.move_for_them(first, 2), s.move_for_them(second, 2)


@_meet("move by practice", "offer", over="one free time")
def _visits_moved_there_or_offered(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.move_for_them(s.visit(s.ana, 0), 1), s.offer(1)


@_meet("move by practice", "accept", over="one visit")
def _visits_moved_or_accepted(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 2)
    offer = s.offered(s.ana, 0, moves=visit)
    return s.move_for_them(visit, 3), s.accept(offer)


@_meet("offer", "offer", over="one free time")
def _offers_told_twice(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.offer(0), s.offer(0)


@_meet("offer", "offer", over="the only one who waits")
def _offers_two_times(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.offer(0), s.offer(1)


@_meet("offer", "accept", over="the patient's hour, with two doctors")
def _offers_another_offer(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    s.waits(s.cleo, by=s.b)
    return s.offer(0, by=s.b), s.accept(offer)


@_meet("accept", "accept", over="one offer")
def _offers_accepted_twice(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    return s.accept(offer), s.accept(offer)


@_meet("mark", "cancel", over="one visit")
def _further_arrived_or_cancelled(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.mark(visit), s.cancel(visit)


@_meet("mark", "move", over="one visit")
def _further_arrived_or_moved(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.mark(visit), s.confirm(s.moving(visit, 1))


@_meet("leave the waitlist", "offer", over="one wish")
def _further_left_or_offered(s: Stage) -> tuple[Act, Act]:
    return s.leave(s.waits(s.cleo)), s.offer(0)


@_meet("leave the waitlist", "accept", over="one offer")
def _further_left_or_accepted(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    entry = offer.waitlist_entry
    assert entry is not None  # noqa: S101 - offers have one
    return s.leave(entry), s.accept(offer)


@_meet("hold", "hold", over="the last of a patient's three holds")
def _further_hoarded(s: Stage) -> tuple[Act, Act]:
    s.kept(s.ana, 0)
    s.kept(s.ana, 1)
    return s.hold(s.ana, 2), s.hold(s.ana, 3)


@_meet("hold", "hold", over="the last hold from an address", LIVE_HOLDS_PER_ADDRESS=1)
def _further_from_one_address(s: Stage) -> tuple[Act, Act]:
    return s.hold(s.ana, 0, address=4711), s.hold(s.ben, 1, address=4711)


@_meet("hold", "hold", over="one Idempotency-Key")
def _further_sent_twice(s: Stage) -> tuple[Act, Act]:
    return s.hold_by_api(s.ana, 0, key="tap-1"), s.hold_by_api(s.ana, 0, key="tap-1")


@_meet("hold", "cancel", over="a slot that the visit shares with its own move")
def _further_of_a_move_by_less(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0, long=True)
    s.moving(visit, 1)
    return s.hold(s.ben, 1), s.cancel(visit)


@_meet("wrong code", "wrong code", over="the last guess at a mailbox, in two holds")
def _further_guessed_in_two_holds(s: Stage) -> tuple[Act, Act]:
    holds = [s.kept_by_guest(at, email="dana@example.test") for at in (0, 1)]
    s.guessed(holds[0], POLICIES["guess-strangers"].rate.most - 1)
    return s.wrong_code(holds[0]), s.wrong_code(holds[1])


@_meet(
    "confirm", "confirm", over="the last visit that a patient may have", COMING_VISITS_PER_PATIENT=1
)
def _further_last_visit(s: Stage) -> tuple[Act, Act]:
    return s.confirm(s.kept(s.ana, 0)), s.confirm(s.kept(s.ana, 1, by=s.b))


@_meet("confirm", "confirm", over="the patient's hour, across a month's end")
def _further_across_the_months_end(s: Stage) -> tuple[Act, Act]:
    one, other = s.across_the_months_end()
    first, second = s.kept(s.ana, 0, by=one, long=True), s.kept(s.ana, 1, by=other)
    return s.confirm(first), s.confirm(second)


@_meet("confirm", "expire", over="the last moment")
def _last_moment_confirm_expire(s: Stage) -> tuple[Act, Act]:
    return s.confirm(s.kept(s.ana, 0)), s.after_a_while(s.hold(s.ben, 0))


@_meet("confirm", "sweep", over="the last moment")
def _last_moment_confirm_sweep(s: Stage) -> tuple[Act, Act]:
    return s.confirm(s.kept(s.ana, 0)), s.after_a_while(s.sweep())


@_meet("wrong code", "expire", over="the last moment")
def _last_moment_wrong_expire(s: Stage) -> tuple[Act, Act]:
    return s.wrong_code(s.kept(s.ana, 0, wrong=4)), s.after_a_while(s.hold(s.ben, 0))


@_meet("resend", "expire", over="the last moment")
def _last_moment_resend_expire(s: Stage) -> tuple[Act, Act]:
    return s.resend(s.kept(s.ana, 0)), s.after_a_while(s.hold(s.ben, 0))


@_meet("resend", "sweep", over="the last moment")
def _last_moment_resend_sweep(s: Stage) -> tuple[Act, Act]:
    return s.resend(s.kept(s.ana, 0)), s.after_a_while(s.sweep())


@_meet("release", "expire", over="the last moment")
def _last_moment_release_expire(s: Stage) -> tuple[Act, Act]:
    return s.release(s.kept(s.ana, 0)), s.after_a_while(s.hold(s.ben, 0))


@_meet("release", "sweep", over="the last moment")
def _last_moment_release_sweep(s: Stage) -> tuple[Act, Act]:
    return s.release(s.kept(s.ana, 0)), s.after_a_while(s.sweep())


@_meet("expire", "move", over="the last moment")
def _last_moment_move_expire(s: Stage) -> tuple[Act, Act]:
    move = s.moving(s.visit(s.ana, 0), 1)
    return s.after_a_while(s.hold(s.ben, 1)), s.confirm(move)


@_meet("sweep", "move", over="the last moment")
def _last_moment_move_sweep(s: Stage) -> tuple[Act, Act]:
    move = s.moving(s.visit(s.ana, 0), 1)
    return s.after_a_while(s.sweep()), s.confirm(move)


@_meet("expire", "accept", over="the last moment")
def _last_moment_accept_expire(s: Stage) -> tuple[Act, Act]:
    return s.after_a_while(s.hold(s.ben, 0)), s.accept(s.offered(s.cleo, 0))


@_meet("sweep", "accept", over="the last moment")
def _last_moment_accept_sweep(s: Stage) -> tuple[Act, Act]:
    return s.after_a_while(s.sweep()), s.accept(s.offered(s.cleo, 0))


@_meet("confirm", "move by practice", over="the patient's hour, across a month's end")
def _further_moved_across_the_months_end(s: Stage) -> tuple[Act, Act]:
    one, other = s.across_the_months_end()
    visit = s.visit(s.ana, 2, by=one, long=True)
    return s.confirm(s.kept(s.ana, 1, by=other)), s.move_for_them(visit, 0, by=one)


@_meet("confirm", "expire", over="a part of a lapsed time")
def _part_of_a_lapsed_time_confirm(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, long=True))
    return s.confirm(hold), s.hold(s.ben, 1)


@_meet("resend", "expire", over="a part of a lapsed time")
def _part_of_a_lapsed_time_resend(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, long=True))
    return s.resend(hold), s.hold(s.ben, 1)


@_meet("release", "expire", over="a part of a lapsed time")
def _part_of_a_lapsed_time_release(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, long=True))
    return s.release(hold), s.hold(s.ben, 1)


@_meet("wrong code", "expire", over="a part of a lapsed time")
def _part_of_a_lapsed_time_wrong_code(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, long=True))
    return s.wrong_code(hold), s.hold(s.ben, 1)


@_meet("confirm", "release", over="a long visit")
def _long_visit(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, long=True)
    return s.confirm(hold), s.release(hold)


def pairs_without_a_meeting() -> list[tuple[str, str]]:
    """In no order of the two."""
    met = {frozenset((each.first, each.second)) for each in MEETINGS}
    return [pair for pair in PAIRS if frozenset(pair) not in met]
