from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0005_wake_only_a_sleeper'),
    ]

    operations = [
        migrations.AddField(
            model_name='outboxmessage',
            name='failing_since',
            field=models.DateTimeField(blank=True, null=True, verbose_name='failing since'),
        ),
    ]
