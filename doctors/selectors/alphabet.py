"""Names in the order in which people look for them: Álvarez stands with the As.

PostgreSQL may be built without ICU, as the embedded one is, and the locales of the C library differ
from machine to machine. So names are compared by their letters without accents and capitals, byte
by byte: the same order on every server.
"""

from django.contrib.postgres.lookups import Unaccent
from django.db.models import CharField
from django.db.models.functions import Cast, Collate, Lower


def letters_of(field: str) -> Collate:
    """What the text in this field is sorted by."""
    plain = Cast(Lower(Unaccent(field)), output_field=CharField())
    return Collate(plain, "C")
