# The constraint is checked and the index built beside the writers.

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

from docbook.concurrent_index import AddIndexBesideWriters


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('outbox', '0009_refused'),
    ]

    operations = [
        AddConstraintNotValid(
            model_name='outboxmessage',
            constraint=models.CheckConstraint(condition=models.Q(('is_refused', False), ('done_at__isnull', False), _connector='OR'), name='refused_message_is_done'),
        ),
        ValidateConstraint(model_name='outboxmessage', name='refused_message_is_done'),
        AddIndexBesideWriters(
            model_name='outboxmessage',
            index=models.Index(condition=models.Q(('is_refused', True)), fields=['done_at'], name='outbox_refused'),
        ),
    ]
