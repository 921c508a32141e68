from django.db import migrations, models

NAMED = models.CharField(db_default="", max_length=80, verbose_name="visit type")


class Migration(migrations.Migration):

    dependencies = [
        ("bookings", "0019_horizon_by_days"),
    ]

    operations = [
        migrations.AlterField("appointment", "visit_name", NAMED),
        migrations.AlterField("hold", "visit_name", NAMED),
    ]
