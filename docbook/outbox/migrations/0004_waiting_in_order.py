# The relay takes messages in the order of their ids. The index is exchanged beside the writers.

from django.db import migrations, models
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull

from docbook.concurrent_index import AddIndexBesideWriters, RemoveIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('outbox', '0003_told_once'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='outboxmessage',
            index=models.Index(condition=models.Q(IsNull(Coalesce('done_at', 'dead_at'), True)), fields=['id'], name='outbox_waiting_in_order'),
        ),
        RemoveIndexBesideWriters(model_name='outboxmessage', name='outbox_waiting'),
    ]
