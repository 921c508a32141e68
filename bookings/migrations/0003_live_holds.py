# Indexes of a table that is written all day: made beside the writers, hence outside a transaction.

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

ONE_OFFER = """
CREATE UNIQUE INDEX CONCURRENTLY one_live_offer_per_waitlist_entry ON bookings_hold (waitlist_entry_id)
WHERE state = 'held' AND waitlist_entry_id IS NOT NULL;
"""


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('bookings', '0002_engine'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='hold',
            index=models.Index(condition=models.Q(('made_from__isnull', False), ('state', 'held')), fields=['made_from'], name='hold_live_by_address'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(ONE_OFFER, "DROP INDEX one_live_offer_per_waitlist_entry")
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='hold',
                    constraint=models.UniqueConstraint(condition=models.Q(('state', 'held'), ('waitlist_entry__isnull', False)), fields=('waitlist_entry',), name='one_live_offer_per_waitlist_entry'),
                ),
            ],
        ),
    ]
