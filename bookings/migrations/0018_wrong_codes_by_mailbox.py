"""Wrong codes of bookings are counted by mailbox and for a day; see docs/adr/0015.

`bookings_confirm` gets four parameters more. The one of 0014 stays for the processes that still run;
the next migration of these functions drops it.
"""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"
DROP_NEW = """
DROP FUNCTION bookings_confirm(
    uuid, bigint, uuid, bigint, smallint[], integer, integer, text, text, text, text[], integer[],
    boolean);
DROP FUNCTION bookings_wait_for_guesses(text, text[], integer[], timestamptz);
DROP FUNCTION bookings_count_guess(text, text[], integer[], timestamptz);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_sessions_ended'),
        ('bookings', '0017_months_made_by_those_who_serve'),
    ]

    operations = [
        migrations.AddField(
            model_name='hold',
            name='guess_target',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=24),
        ),
        migrations.RunSQL((SQL / "0018_confirm.sql").read_text(), DROP_NEW),
    ]
