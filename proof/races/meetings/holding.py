"""Somebody holds a time or confirms it."""

from proof.races.meetings.meeting import meet
from proof.races.stage import Act, Stage


@meet("hold", "hold", over="one free time")
def _hold_one_free_time(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ana, 0), s.hold(s.ben, 0))


@meet("hold", "hold", over="long visits that share a slot")
def _hold_long_visits_that_share_a_slot(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ana, 0, reason=s.a.long), s.hold(s.ben, 1, reason=s.a.long))


@meet("hold", "hold", over="a slot kept free after a visit")
def _hold_a_slot_kept_free(s: Stage) -> tuple[Act, Act]:
    return s.hold(s.ana, 0, reason=s.a.with_break), s.hold(s.ben, 1)


@meet("hold", "confirm", over="the time that is confirmed")
def _hold_the_time_that_is_confirmed(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.confirm(s.kept(s.ana, 0)))


@meet("hold", "wrong code", over="the time that a fifth wrong code frees")
def _hold_the_time_that_a_fifth_wrong_code_frees(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.wrong_code(s.kept(s.ana, 0, wrong=4)))


@meet("hold", "resend", over="the time that waits for its new code")
def _hold_the_time_that_waits_for_its_new_code(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.resend(s.kept(s.ana, 0)))


@meet("hold", "release", over="the time that is given back")
def _hold_the_time_that_is_given_back(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.release(s.kept(s.ana, 0)))


@meet("hold", "expire", over="a lapsed time, which its holder wants again")
def _hold_a_lapsed_time_which_its_holder_wants_again(s: Stage) -> tuple[Act, Act]:
    return (s.lapsed(s.kept(s.ana, 0)), s.hold(s.ana, 0), s.hold(s.ben, 0))[1:]


@meet("hold", "sweep", over="a part of a lapsed time")
def _hold_a_part_of_a_lapsed_time(s: Stage) -> tuple[Act, Act]:
    return (s.lapsed(s.kept(s.ana, 0, long=True)), s.hold(s.ben, 1), s.sweep())[1:]


@meet("hold", "cancel", over="the time of the cancelled visit")
def _hold_the_time_of_the_cancelled_visit(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.cancel(s.visit(s.ana, 0)))


@meet("hold", "move", over="the time that the visit leaves")
def _hold_the_time_that_a_move_leaves(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.confirm(s.moving(s.visit(s.ana, 0), 1)))


@meet("hold", "move by practice", over="the new time of the visit")
def _hold_the_new_time_of_the_visit(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 1), s.move_for_them(s.visit(s.ana, 0), 1))


@meet("hold", "move by practice", over="the time that the visit leaves")
def _hold_the_time_that_the_visit_leaves(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.ben, 0), s.move_for_them(s.visit(s.ana, 0), 1))


@meet("hold", "offer", over="a time that somebody waits for")
def _hold_a_time_that_somebody_waits_for(s: Stage) -> tuple[Act, Act]:
    return (s.waits(s.cleo), s.hold(s.ben, 0), s.offer(0))[1:]


@meet("hold", "accept", over="the patient's hour, with another doctor")
def _hold_the_patients_hour_with_another_doctor(s: Stage) -> tuple[Act, Act]:
    return (s.hold(s.cleo, 0, by=s.b), s.accept(s.offered(s.cleo, 0)))


@meet("confirm", "confirm", over="one hold")
def _confirm_the_same(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.confirm(hold), s.confirm(hold)


@meet("confirm", "confirm", over="the patient's hour, with two doctors")
def _confirm_two_doctors(s: Stage) -> tuple[Act, Act]:
    return s.confirm(s.kept(s.ana, 0)), s.confirm(s.kept(s.ana, 0, by=s.b))


@meet("confirm", "wrong code", over="the last attempt")
def _confirm_fifth_code(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0, wrong=4)
    return s.confirm(hold), s.wrong_code(hold)


@meet("confirm", "resend", over="one hold")
def _confirm_new_code(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.confirm(hold), s.resend(hold)


@meet("confirm", "release", over="one hold")
def _confirm_given_back(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.confirm(hold), s.release(hold)


@meet("confirm", "expire", over="a lapsed time")
def _confirm_taken_over(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.confirm(hold), s.hold(s.ben, 0)


@meet("confirm", "sweep", over="a lapsed time")
def _confirm_swept(s: Stage) -> tuple[Act, Act]:
    hold = s.lapsed(s.kept(s.ana, 0))
    return s.confirm(hold), s.sweep()


@meet("confirm", "cancel", over="the patient's hour, with two doctors")
def _confirm_instead_of_a_visit(s: Stage) -> tuple[Act, Act]:
    hold = s.kept(s.ana, 0)
    return s.confirm(hold), s.cancel(s.visit(s.ana, 0, by=s.b))


@meet("confirm", "move", over="the patient's hour, with two doctors")
def _confirm_where_a_visit_moves(s: Stage) -> tuple[Act, Act]:
    hold, visit = s.kept(s.ana, 1), s.visit(s.ana, 0, by=s.b)
    return s.confirm(hold), s.confirm(s.moving(visit, 1, by=s.b))


@meet("confirm", "move by practice", over="the patient's hour, with two doctors")
def _confirm_where_it_is_moved(s: Stage) -> tuple[Act, Act]:
    hold, visit = s.kept(s.ana, 1), s.visit(s.ana, 0, by=s.b)
    return s.confirm(hold), s.move_for_them(visit, 1, by=s.b)


@meet("confirm", "offer", over="the wish of one patient")
def _confirm_while_waiting(s: Stage) -> tuple[Act, Act]:
    s.waits(s.ana)
    return s.confirm(s.kept(s.ana, 0)), s.offer(1)


@meet("confirm", "accept", over="the patient's hour, with two doctors")
def _confirm_beside_an_offer(s: Stage) -> tuple[Act, Act]:
    offer = s.offered(s.ana, 0)
    return s.confirm(s.kept(s.ana, 0, by=s.b)), s.accept(offer)
