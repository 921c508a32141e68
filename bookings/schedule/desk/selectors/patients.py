"""Finds the patient who is calling.

A practice finds its own patients by whatever they say: people who have or had a visit with one of
its doctors. It finds anybody else only by their whole e-mail address or phone number; docs/adr/0026
says why.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db import transaction

from accounts.models import User
from accounts.patient_keys import NAME, PHONE
from bookings.schedule.desk.typed_words import Typed
from docbook.notify.masking import masked_email, masked_phone
from docbook.postgres.rows import rows_of
from doctors.models import Doctor

MOST = 10
MOST_STRANGERS = 3
# Shorter words have too few trigrams to forgive a slip.
FORGIVING_LETTERS = 5
# "mueler" and Müller share three quarters of their trigrams, "lindqist" and Lindqvist two thirds.
LIKE_ENOUGH = "0.5"

# Of hundreds who are a little like it, as many are compared.
MOST_COMPARED = 200

# Patients are taken from the index one after the other, and their visits looked up, until there are
# enough. LATERAL with a LIMIT cannot become a scan of all visits.
_OWN = """
WITH alike AS MATERIALIZED (
    SELECT id, first_name, last_name, phone, coalesce(email, '') AS email, born_on
    FROM accounts_user
    WHERE is_active AND id <> ALL(%(apart_from)s::bigint[]) AND CONDITIONS
), own AS (
    SELECT alike.*, is_known.doctor_id FROM alike, LATERAL (
        SELECT doctor_id FROM bookings_hold AS visit
        WHERE visit.patient_id = alike.id AND visit.state = 'confirmed'
          AND visit.doctor_id = ANY(%(doctors)s::bigint[])
        LIMIT 1) AS is_known
    LIMIT %(enough)s
)
SELECT * FROM own ORDER BY LIKENESS LIMIT %(most)s
"""
_ANYBODY = """
WITH exact AS MATERIALIZED (
    SELECT id, first_name, last_name, phone, coalesce(email, '') AS email, born_on, (
               SELECT doctor_id FROM bookings_hold AS visit
               WHERE visit.patient_id = accounts_user.id AND visit.state = 'confirmed'
                 AND visit.doctor_id = ANY(%(doctors)s::bigint[])
               LIMIT 1)
    FROM accounts_user
    WHERE is_active AND id <> ALL(%(apart_from)s::bigint[]) AND (CONDITIONS)
)
SELECT * FROM exact ORDER BY id LIMIT %(most)s
"""
# Because of the LIMIT, the planner believes that a scan of everybody soon has enough.
_FOR_THE_SEARCH = """
SELECT set_config('pg_trgm.word_similarity_threshold', %s, true),
       set_config('enable_seqscan', 'off', true)
"""


@dataclass(frozen=True)
class Found:
    """Somebody who may be the caller. `doctor_id`: the one of the reader's doctors whose patient
    they are, or one of them; None for strangers. `is_exact`: no slip was forgiven.
    """

    id: int
    first_name: str
    last_name: str
    phone: str
    email: str
    born_on: date | None
    doctor_id: int | None
    is_exact: bool = True

    @property
    def is_own(self) -> bool:
        return self.doctor_id is not None

    @property
    def shown_name(self) -> str:
        """Of strangers only the initials: the caller has to say the name."""
        parts = (self.first_name, self.last_name)
        if self.is_own:
            return " ".join(filter(None, parts))
        return " ".join(f"{each[:1]}•••" for each in parts if each)

    @property
    def shown_phone(self) -> str:
        return self.phone if self.is_own or not self.phone else masked_phone(self.phone)

    @property
    def shown_email(self) -> str:
        return self.email if self.is_own or not self.email else masked_email(self.email)

    @property
    def shown_birthday(self) -> date | None:
        return self.born_on if self.is_own else None


@transaction.atomic
def find_callers(typed: Typed, *, doctors: Iterable[Doctor]) -> list[Found]:
    """Those who fit everything that was typed, best first: patients of these doctors, then others
    with exactly this address or number.
    """
    if not typed.says_enough:
        return []
    rows_of(_FOR_THE_SEARCH, LIKE_ENOUGH)
    doctor_ids = [each.pk for each in doctors]
    own = _own_patients(typed, doctor_ids)
    return own + _anybody(typed, doctor_ids, apart_from=[each.id for each in own])


def _own_patients(typed: Typed, doctor_ids: list[int]) -> list[Found]:
    """First those whose names begin as it was typed. If these are few, then those who are alike."""
    found = _own(typed, doctor_ids, forgives=False)
    if len(found) < MOST and any(len(word) >= FORGIVING_LETTERS for word in typed.words):
        found += _own(typed, doctor_ids, forgives=True, apart_from=found)
    return found[:MOST]


def _own(
    typed: Typed, doctor_ids: list[int], *, forgives: bool, apart_from: Sequence[Found] = ()
) -> list[Found]:
    conditions, likeness, given = _conditions(typed, forgives=forgives)
    sql = _OWN.replace("CONDITIONS", " AND ".join(conditions)).replace("LIKENESS", likeness)
    rows = rows_of(
        sql,
        doctors=doctor_ids,
        apart_from=[each.id for each in apart_from],
        enough=MOST_COMPARED if forgives else MOST,
        most=MOST,
        **given,
    )
    return [replace(Found(*row), is_exact=not forgives) for row in rows]


def get_patient(patient_id: int) -> User | None:
    return User.objects.filter(pk=patient_id, is_active=True).first()


def _conditions(typed: Typed, *, forgives: bool) -> tuple[list[str], str, dict[str, object]]:
    """Conditions in SQL, the order of what they find, and the values of both."""
    conditions: list[str] = []
    likeness = ["0::real"]
    given: dict[str, object] = {}
    for number, word in enumerate(typed.words):
        given[f"word_{number}"] = word
        if forgives and len(word) >= FORGIVING_LETTERS:
            conditions.append(f"%(word_{number})s::text <%% {NAME}")
            likeness.append(f"word_similarity(%(word_{number})s::text, {NAME})")
        else:
            conditions.append(f"{NAME} LIKE '%% ' || %(word_{number})s::text || '%%'")
    if typed.digits:
        conditions.append(f"{PHONE} LIKE %(digits)s")
        given["digits"] = f"%{typed.digits}%"
    if typed.born_on:
        conditions.append("born_on = %(born_on)s")
        given["born_on"] = typed.born_on
    if typed.email:
        conditions.append("email = %(email)s")
        given["email"] = typed.email
    return conditions, f"{' + '.join(likeness)} DESC, id", given


def _anybody(typed: Typed, doctor_ids: list[int], *, apart_from: Sequence[int]) -> list[Found]:
    """By address or number alone, whatever the name. One's own patient may be among them."""
    conditions: list[str] = []
    given: dict[str, object] = {}
    if typed.email:
        conditions.append("email = %(email)s")
        given["email"] = typed.email
    if typed.full_number:
        conditions += [f"{PHONE} = %(number)s::text", f"{PHONE} = '00' || %(number)s::text"]
        given["number"] = typed.full_number
    if not conditions:
        return []
    sql = _ANYBODY.replace("CONDITIONS", " OR ".join(conditions))
    rows = rows_of(
        sql, doctors=doctor_ids, apart_from=list(apart_from), most=MOST_STRANGERS, **given
    )
    return [replace(Found(*row), is_exact=False) for row in rows]
