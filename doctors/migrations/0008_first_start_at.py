from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"
DROP = """
    DROP FUNCTION doctors_first_start_at(
        bigint, integer, integer, timestamptz, text, bigint, text
    )
"""


class Migration(migrations.Migration):

    dependencies = [
        ('doctors', '0007_first_start'),
    ]

    operations = [
        migrations.RunSQL((SQL / "0008_first_start_at.sql").read_text(), DROP),
    ]
