# Made beside the writers, hence outside a transaction. The expressions are those of
# accounts.patient_keys; a test compares the plans.

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

from docbook.concurrent_index import AddIndexBesideWriters, IndexBesideWriters

NAME = """
lower(translate(' ' || first_name || ' ' || last_name, 'ÀÁÂÃÄÅĀĂĄàáâãäåāăąÇĆČĊçćčċĎĐďđÈÉÊËĒĖĘĚèéêëēėęěĞĢğģĦħÌÍÎÏĪĮİìíîïīįıĶķĹĻĽŁĺļľłÑŃŅŇñńņňÒÓÔÕÖØŌŐòóôõöøōőŔŘŕřŚŞŠȘśşšșßŢŤȚţťțÙÚÛÜŪŮŰŲùúûüūůűųŴŵÝŶŸýŷÿŹŻŽźżž-''’', 'aaaaaaaaaaaaaaaaaaccccccccddddeeeeeeeeeeeeeeeegggghhiiiiiiiiiiiiiikkllllllllnnnnnnnnoooooooooooooooorrrrsssssssssttttttuuuuuuuuuuuuuuuuwwyyyyyyzzzzzz '))
""".strip()
PHONE = "regexp_replace(phone, '[^0-9]', '', 'g')"


class KeptTrigramExtension(TrigramExtension):
    """Going back leaves it: the search for doctors needs it too."""

    def database_backwards(self, *arguments, **named):
        pass


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('accounts', '0004_patients_without_email'),
    ]

    operations = [
        KeptTrigramExtension(),
        IndexBesideWriters(
            "patient_name_trigrams", on=f"accounts_user USING gin (({NAME}) gin_trgm_ops)"
        ),
        IndexBesideWriters(
            "patient_phone_trigrams", on=f"accounts_user USING gin (({PHONE}) gin_trgm_ops)"
        ),
        AddIndexBesideWriters(
            model_name='user',
            index=models.Index(
                condition=models.Q(('born_on__isnull', False)),
                fields=['born_on'],
                name='patient_born_on',
            ),
        ),
    ]
