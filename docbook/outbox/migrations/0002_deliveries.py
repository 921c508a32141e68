import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='outboxmessage',
            name='once',
            field=models.CharField(blank=True, max_length=96, null=True, verbose_name='told once as'),
        ),
        migrations.CreateModel(
            name='OutboxDelivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(max_length=16, verbose_name='channel')),
                ('copies', models.PositiveSmallIntegerField(default=1, verbose_name='copies that may have arrived')),
                ('delivered_at', models.DateTimeField(blank=True, null=True, verbose_name='delivered at')),
                ('message', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='outbox.outboxmessage')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'ordering': ['id'],
                'indexes': [models.Index(condition=models.Q(('copies__gt', 1)), fields=['message'], name='outbox_duplicates')],
                'constraints': [models.UniqueConstraint(fields=('message', 'channel'), name='one_delivery_per_message_and_channel'), models.CheckConstraint(condition=models.Q(('delivered_at__isnull', True), ('copies__gte', 1), _connector='OR'), name='what_was_delivered_has_a_copy')],
            },
        ),
    ]
