"""The facts of an answer, where the answer is made from them. Empty for answers kept as text."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('http', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='idempotencyrecord',
            name='facts',
            field=models.JSONField(null=True),
        ),
    ]
