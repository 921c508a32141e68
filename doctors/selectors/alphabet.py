"""Names in the order in which people look for them: Álvarez is among the As.

PostgreSQL may be built without ICU, like the embedded one, and the locales of the C library differ
between machines. So names are compared byte by byte, without accents and capitals: the same order
on every server.
"""

from django.contrib.postgres.lookups import Unaccent
from django.db.models import CharField
from django.db.models.functions import Cast, Collate, Lower


def letters_of(field: str) -> Collate:
    """The expression to sort the text in this field by."""
    plain = Cast(Lower(Unaccent(field)), output_field=CharField())
    return Collate(plain, "C")
