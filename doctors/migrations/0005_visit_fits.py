from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"
DROP = "DROP FUNCTION doctors_visit_fits(bigint, timestamptz, integer, integer, timestamptz)"


class Migration(migrations.Migration):

    dependencies = [
        ('doctors', '0004_whole_minutes_and_ends_of_days'),
    ]

    operations = [
        migrations.RunSQL((SQL / "0005_visit_fits.sql").read_text(), DROP),
    ]
