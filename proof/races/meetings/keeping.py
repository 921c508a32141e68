"""Somebody keeps a time: with a wrong code or a new one, until it is given back or lapses."""

from proof.races.meetings.meeting import meet
from proof.races.stage import Act, Stage


@meet("wrong code", "wrong code", over="the last attempts")
def _wrong_code_two_guesses(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, wrong=3)
    return s.wrong_code(hold), s.wrong_code(hold)


@meet("wrong code", "resend", over="one hold")
def _wrong_code_new_code(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, wrong=4)
    return s.wrong_code(hold), s.resend(hold)


@meet("wrong code", "release", over="one hold")
def _wrong_code_given_back(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, wrong=4)
    return s.wrong_code(hold), s.release(hold)


@meet("wrong code", "expire", over="a lapsed time")
def _wrong_code_taken_over(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, wrong=4))
    return s.wrong_code(hold), s.hold(s.ben, 0)


@meet("wrong code", "sweep", over="a lapsed time")
def _wrong_code_swept(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0, wrong=4))
    return s.wrong_code(hold), s.sweep()


@meet("wrong code", "cancel", over="the new time of the visit")
def _wrong_code_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.wrong_code(s.moving(visit, 1, wrong=4)), s.cancel(visit)


@meet("wrong code", "move", over="two new times of a visit")
def _wrong_code_of_a_moved_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.wrong_code(s.moving(visit, 1, wrong=4)), s.confirm(s.moving(visit, 2))


@meet("wrong code", "move by practice", over="the new time of a visit")
def _wrong_code_of_a_visit_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.wrong_code(s.moving(visit, 1, wrong=4)), s.move_for_them(visit, 1)


@meet("wrong code", "offer", over="a time that somebody waits for")
def _wrong_code_awaited(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.wrong_code(s.kept(s.ana, 0, wrong=4)), s.offer(0)


@meet("wrong code", "accept", over="one offer")
def _wrong_code_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0, wrong=4)
    return s.wrong_code(offer), s.accept(offer)


@meet("resend", "resend", over="one hold")
def _resend_two_codes(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.resend(hold), s.resend(hold)


@meet("resend", "release", over="one hold")
def _resend_given_back(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.resend(hold), s.release(hold)


@meet("resend", "expire", over="a lapsed time")
def _resend_taken_over(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.resend(hold), s.hold(s.ben, 0)


@meet("resend", "sweep", over="a lapsed time")
def _resend_swept(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.resend(hold), s.sweep()


@meet("resend", "cancel", over="the new time of the visit")
def _resend_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.resend(s.moving(visit, 1)), s.cancel(visit)


@meet("resend", "move", over="one hold")
def _resend_of_a_move(s: Stage) -> tuple[Act, Act]:
    move = s.moving(s.visit(s.ana, 0), 1)
    return s.resend(move), s.confirm(move)


@meet("resend", "move by practice", over="the visit")
def _resend_of_a_visit_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.resend(s.moving(visit, 1)), s.move_for_them(visit, 2)


@meet("resend", "offer", over="the patient's hour, with two doctors")
def _resend_elsewhere(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.resend(s.kept(s.cleo, 0, by=s.b)), s.offer(0)


@meet("resend", "accept", over="one offer")
def _resend_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    return s.resend(offer), s.accept(offer)


@meet("release", "release", over="one hold")
def _release_twice(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.release(hold), s.release(hold)


@meet("release", "expire", over="a lapsed time")
def _release_taken_over(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.release(hold), s.hold(s.ben, 0)


@meet("release", "sweep", over="a lapsed time")
def _release_swept(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.release(hold), s.sweep()


@meet("release", "cancel", over="the new time of the visit")
def _release_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.release(s.moving(visit, 1)), s.cancel(visit)


@meet("release", "move", over="one hold")
def _release_of_a_move(s: Stage) -> tuple[Act, Act]:
    move = s.moving(s.visit(s.ana, 0), 1)
    return s.release(move), s.confirm(move)


@meet("release", "move by practice", over="the new time of the visit")
def _release_of_a_visit_moved_for_them(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    return s.release(s.moving(visit, 1)), s.move_for_them(visit, 1)


@meet("release", "offer", over="a time that somebody waits for")
def _release_awaited(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    return s.release(s.kept(s.ana, 0)), s.offer(0)


@meet("release", "accept", over="one offer")
def _release_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.cleo, 0)
    return s.release(offer), s.accept(offer)


@meet("expire", "expire", over="a lapsed time")
def _expire_two_heirs(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.ana, 0))
    return s.hold(s.ben, 0), s.hold(s.cleo, 0)


@meet("expire", "expire", over="two parts of a lapsed time")
def _expire_two_parts(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.ana, 0, long=True))
    return s.hold(s.ben, 0), s.hold(s.cleo, 1)


@meet("expire", "sweep", over="a lapsed time")
def _expire_swept(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.ana, 0))
    return s.hold(s.ben, 0), s.sweep()


@meet("expire", "cancel", over="the lapsed new time of the visit")
def _expire_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    s.lapsed(s.moving(visit, 1))
    return s.hold(s.ben, 1), s.cancel(visit)


@meet("expire", "move", over="a lapsed time")
def _expire_of_a_move(s: Stage) -> tuple[Act, Act]:
    move = s.lapsed(s.moving(s.visit(s.ana, 0), 1))
    return s.hold(s.ben, 1), s.confirm(move)


@meet("expire", "move by practice", over="a lapsed time")
def _expire_for_a_visit(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.cleo, 1))
    return s.hold(s.ben, 1), s.move_for_them(s.visit(s.ana, 0), 1)


@meet("expire", "offer", over="parts of a lapsed time")
def _expire_awaited(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    s.lapsed(s.kept(s.ana, 0, long=True))
    return s.hold(s.ben, 1), s.offer(0)


@meet("expire", "accept", over="a lapsed offer")
def _expire_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.lapsed(s.offered(s.cleo, 0))
    return s.hold(s.ben, 0), s.accept(offer)


@meet("sweep", "sweep", over="a lapsed time")
def _sweep_twice(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.ana, 0))
    return s.sweep(), s.sweep()


@meet("sweep", "cancel", over="the lapsed new time of the visit")
def _sweep_of_a_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    visit = s.visit(s.ana, 0)
    s.lapsed(s.moving(visit, 1))
    return s.sweep(), s.cancel(visit)


@meet("sweep", "move", over="a lapsed time")
def _sweep_of_a_move(s: Stage) -> tuple[Act, Act]:
    move = s.lapsed(s.moving(s.visit(s.ana, 0), 1))
    return s.sweep(), s.confirm(move)


@meet("sweep", "move by practice", over="a lapsed time")
def _sweep_for_a_visit(s: Stage) -> tuple[Act, Act]:
    s.lapsed(s.kept(s.cleo, 1))
    return s.sweep(), s.move_for_them(s.visit(s.ana, 0), 1)


@meet("sweep", "offer", over="a lapsed time that somebody waits for")
def _sweep_awaited(s: Stage) -> tuple[Act, Act]:
    s.waits(s.cleo)
    s.lapsed(s.kept(s.ana, 0))
    return s.sweep(), s.offer(0)


@meet("sweep", "accept", over="a lapsed offer")
def _sweep_offered(s: Stage) -> tuple[Act, Act]:
    offer = s.lapsed(s.offered(s.cleo, 0))
    return s.sweep(), s.accept(offer)
