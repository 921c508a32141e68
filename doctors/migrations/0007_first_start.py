from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"
DROP = """
    DROP FUNCTION doctors_first_start(bigint, timestamptz, text, bigint, text, text, date)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('doctors', '0006_slot_expansions'),
    ]

    operations = [
        migrations.RunSQL((SQL / "0007_first_start.sql").read_text(), DROP),
    ]
