from django.db import migrations, models

from docbook.concurrent_index import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False  # nobody who books waits for the index

    dependencies = [
        ('bookings', '0010_what_moves_with_a_visit'),
    ]

    operations = [
        AddIndexBesideWriters(
            model_name='hold',
            index=models.Index(
                condition=models.Q(('replaces__isnull', False), ('state', 'held')),
                fields=['replaces'],
                name='hold_live_by_visit_to_move',
            ),
        ),
    ]
