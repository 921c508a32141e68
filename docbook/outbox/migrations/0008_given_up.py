# What was given up is looked for every five minutes among all that was delivered in a week.

from django.db import migrations, models

from docbook.concurrent_index import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('outbox', '0007_several_receivers'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='outboxmessage',
            index=models.Index(condition=models.Q(('dead_at__isnull', False)), fields=['dead_at'], name='outbox_dead'),
        ),
    ]
