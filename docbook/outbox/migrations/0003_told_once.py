# An index of a table that is written all day: made beside the writers, hence outside a transaction.

from django.db import migrations, models

from docbook.concurrent_index import IndexBesideWriters

TOLD_ONCE = """
outbox_outboxmessage (once)
WHERE once IS NOT NULL
"""


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('outbox', '0002_deliveries'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                IndexBesideWriters("one_message_per_fact_that_is_told_once", on=TOLD_ONCE, unique=True)
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name='outboxmessage',
                    constraint=models.UniqueConstraint(condition=models.Q(('once__isnull', False)), fields=('once',), name='one_message_per_fact_that_is_told_once'),
                ),
            ],
        ),
    ]
