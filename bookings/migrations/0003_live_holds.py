# Indexes of a table that is written all day: made beside the writers, hence outside a transaction.

from django.db import migrations, models

from docbook.concurrent_index import AddIndexBesideWriters, IndexBesideWriters

ONE_OFFER = """
bookings_hold (waitlist_entry_id)
WHERE state = 'held' AND waitlist_entry_id IS NOT NULL
"""


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0002_engine'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='hold',
            index=models.Index(condition=models.Q(('made_from__isnull', False), ('state', 'held')), fields=['made_from'], name='hold_live_by_address'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                IndexBesideWriters("one_live_offer_per_waitlist_entry", on=ONE_OFFER, unique=True)
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='hold',
                    constraint=models.UniqueConstraint(condition=models.Q(('state', 'held'), ('waitlist_entry__isnull', False)), fields=('waitlist_entry',), name='one_live_offer_per_waitlist_entry'),
                ),
            ],
        ),
    ]
