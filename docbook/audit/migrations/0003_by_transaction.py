# On a table that is written all day: made beside the writers, hence outside a transaction.

from django.db import migrations, models

from docbook.concurrent_index import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('audit', '0002_seals'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='auditevent',
            index=models.Index(fields=['xact', 'id'], name='audit_by_transaction'),
        ),
    ]
