"""Reads holds, always as their holder."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, Func, OuterRef, Q, QuerySet, UUIDField
from django.db.models.fields import DateTimeField
from django.utils import timezone

from accounts.guesses import A_DAY, ARE_MANY
from accounts.models import CodeGuesses, User
from bookings.actors.holder import Holder, keys_of
from bookings.errors import HoldExpired, OtpLocked
from bookings.models import Hold, HoldState
from bookings.models.holds import MAX_CODE_ATTEMPTS
from docbook.errors import NotFound, NotYours
from docbook.http.rate_policies import POLICIES
from docbook.postgres.kept_query import Given, IsAnyOf, KeptQuery
from doctors.models import Doctor


class StatementTime(Func):
    """The database's clock at the start of the running statement."""

    function = "STATEMENT_TIMESTAMP"
    output_field = DateTimeField()


# Whether a hold has expired, by the database's clock when the row is read: a condition, and a fact
# for `annotate`.
IS_OVER = Q(expires_at__lte=StatementTime())
JUDGED: dict[str, Q] = {"is_over": IS_OVER}

_AGAINST_ITS_MAILBOX = CodeGuesses.objects.filter(ARE_MANY, target=OuterRef("guess_target"))
_GUESSED: dict[str, Any] = {"has_many_guesses": Exists(_AGAINST_ITS_MAILBOX)}

_HOLD = KeptQuery(
    lambda: (
        Hold.objects.filter(pk=Given("pk", UUIDField()))
        .select_related("doctor__specialty", "clinic", "visit_type__doctor", "patient")
        .annotate(**JUDGED, **_GUESSED)
    )
)

_AWAITING_CODES = KeptQuery(
    lambda: (
        Hold.objects.filter(IsAnyOf("pk", "pks", UUIDField()), ~IS_OVER, state=HoldState.HELD)
        .select_related("doctor")
        .annotate(**_GUESSED)
    )
)


def get_hold(*, hold_id: UUID, holder: Holder) -> Hold:
    """The holder's own hold with everything its page shows. Raises NotFound for anybody else's."""
    fewest = POLICIES["guess-network"].rate.most
    hold = _HOLD.first(pk=hold_id, since=timezone.now() - A_DAY, fewest=fewest)
    if hold is None:
        raise NotFound
    if not holder.owns(hold):
        raise NotYours("hold", hold_id)
    return hold


def holds_awaiting_codes(ids: Iterable[UUID]) -> dict[UUID, Hold]:
    """The ones among these holds that a code can still confirm, by their ids. One query."""
    fewest = POLICIES["guess-network"].rate.most
    found = _AWAITING_CODES.all(pks=list(ids), since=timezone.now() - A_DAY, fewest=fewest)
    return {each.pk: each for each in found}


def live_holds(*, holder: Holder) -> QuerySet[Hold]:
    """Holds of this holder that have not expired, by the database's clock; oldest first."""
    mine = Q(pk__in=[])  # matches nothing, for a browser that has held nothing
    if holder.patient is not None:
        mine |= Q(patient=holder.patient)
    if holder.guest_key is not None:
        mine |= Q(guest_key=holder.guest_key)
    live = Hold.objects.filter(mine, state=HoldState.HELD, expires_at__gt=StatementTime())
    return live.select_related("doctor", "clinic").order_by("created_at", "id")


def kept_times(*, holder: Holder, most: int) -> list[Hold]:
    """The oldest live holds of this holder. Waitlist offers do not count."""
    return list(live_holds(holder=holder).filter(waitlist_entry=None)[:most])


def newest_kept_time(holder: Holder) -> Hold | None:
    """The newest live hold of this holder that is no waitlist offer."""
    return live_holds(holder=holder).filter(waitlist_entry=None).last()


def own_hold_in_the_way(
    *, holder: Holder, doctor: Doctor, slot_id: int, start: datetime, end: datetime
) -> Hold | None:
    """The holder's own hold of a part of [start, end) with this doctor, or of the slot: for another
    visit type, from another start, for moving a visit, as time kept free after a visit, or as an
    offer.
    """
    overlaps = Q(doctor=doctor, starts_at__lt=end, ends_at__gt=start)
    return live_holds(holder=holder).filter(overlaps | Q(slot_ids__contains=[slot_id])).first()


def has_live_hold(patient: User, *, start: datetime, end: datetime) -> bool:
    """Whether a time that overlaps [start, end) is held for this patient, in any way."""
    live = live_holds(holder=Holder(patient=patient))
    return live.filter(starts_at__lt=end, ends_at__gt=start).exists()


def lapsed_hold_ids(*, limit: int, doctor_id: int | None = None) -> list[UUID]:
    """Expired holds that are still marked as held, of one doctor or of all."""
    lapsed = Hold.objects.filter(IS_OVER, state=HoldState.HELD)
    if doctor_id is not None:
        lapsed = lapsed.filter(doctor_id=doctor_id)
    return list(lapsed.order_by("expires_at").values_list("pk", flat=True)[:limit])


def keys_of_kept_times() -> set[tuple[int, str]]:
    """The first slot of each live hold, with the keys of everybody who may have made it."""
    live = Hold.objects.filter(state=HoldState.HELD, expires_at__gt=StatementTime())
    rows = live.values_list("slot_ids", "patient_id", "guest_key")
    return {(slots[0], key) for slots, patient, guest in rows for key in keys_of(patient, guest)}


def ending_of(hold: Hold) -> HoldExpired | OtpLocked | None:
    """Why this hold can no longer be confirmed. None for one that waits, and for a visit."""
    if hold.state == HoldState.CONFIRMED:
        return None
    if hold.otp_attempts >= MAX_CODE_ATTEMPTS:
        return OtpLocked()
    return None if hold.state == HoldState.HELD and not hold.is_over else HoldExpired()


def refuse_what_is_over(*, hold_id: UUID, holder: Holder) -> None:
    """Called before the input is judged. Raises NotFound, HoldExpired or OtpLocked."""
    if ending := ending_of(get_hold(hold_id=hold_id, holder=holder)):
        raise ending


def became_a_visit(hold_id: UUID) -> bool:
    return Hold.objects.filter(pk=hold_id, state=HoldState.CONFIRMED).exists()
