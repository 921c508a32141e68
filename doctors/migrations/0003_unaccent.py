from django.contrib.postgres.operations import UnaccentExtension
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('doctors', '0002_engine'),
    ]

    operations = [
        UnaccentExtension(),
    ]
