from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0006_failing_since'),
    ]

    operations = [
        migrations.AddField(
            model_name='outboxmessage',
            name='receiver',
            field=models.CharField(blank=True, db_default='', default='', max_length=32, verbose_name='receiver'),
        ),
        migrations.AddField(
            model_name='outboxmessage',
            name='is_spread',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
