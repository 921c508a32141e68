from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0008_given_up'),
    ]

    operations = [
        migrations.AddField(
            model_name='outboxmessage',
            name='is_refused',
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name='refused by the recipient'),
        ),
    ]
