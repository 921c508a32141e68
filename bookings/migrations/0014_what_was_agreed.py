"""What was agreed is kept with holds and appointments; see docs/adr/0012.

The columns are empty at first and a trigger fills them in, so that a process of the release before
may still write rows. The next migration fills in what is there already.
"""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"
MODES = [('in_person', 'in person'), ('video', 'video'), ('phone', 'phone')]
FIELDS = {
    'visit_name': models.CharField(db_default='', max_length=80, verbose_name='reason for the visit'),
    'mode': models.CharField(choices=MODES, db_default='', max_length=10, verbose_name='mode'),
    'price_cents': models.PositiveIntegerField(db_default=0, verbose_name='price in cents'),
    'currency': models.CharField(db_default='', max_length=3, verbose_name='currency'),
    'place_name': models.CharField(db_default='', max_length=120, verbose_name='name of the clinic'),
    'street': models.CharField(db_default='', max_length=160, verbose_name='street'),
    'postcode': models.CharField(blank=True, db_default='', max_length=16, verbose_name='postcode'),
    'city': models.CharField(db_default='', max_length=80, verbose_name='city'),
    'country': models.CharField(db_default='', max_length=2, verbose_name='country'),
    'directions': models.CharField(blank=True, db_default='', max_length=160, verbose_name='directions'),
    'time_zone': models.CharField(db_default='', max_length=64, verbose_name='time zone'),
}
HAD_BEFORE = ('price_cents', 'currency')  # the appointment, without a default

ADD_TO_APPOINTMENTS = """
ALTER TABLE bookings_appointment
    ADD COLUMN visit_name varchar(80) NOT NULL DEFAULT '',
    ADD COLUMN mode varchar(10) NOT NULL DEFAULT '',
    ALTER COLUMN price_cents SET DEFAULT 0,
    ALTER COLUMN currency SET DEFAULT '',
    ADD COLUMN place_name varchar(120) NOT NULL DEFAULT '',
    ADD COLUMN street varchar(160) NOT NULL DEFAULT '',
    ADD COLUMN postcode varchar(16) NOT NULL DEFAULT '',
    ADD COLUMN city varchar(80) NOT NULL DEFAULT '',
    ADD COLUMN country varchar(2) NOT NULL DEFAULT '',
    ADD COLUMN directions varchar(160) NOT NULL DEFAULT '',
    ADD COLUMN time_zone varchar(64) NOT NULL DEFAULT ''
"""
TAKE_FROM_APPOINTMENTS = """
ALTER TABLE bookings_appointment
    DROP COLUMN visit_name, DROP COLUMN mode, DROP COLUMN place_name, DROP COLUMN street,
    DROP COLUMN postcode, DROP COLUMN city, DROP COLUMN country, DROP COLUMN directions,
    DROP COLUMN time_zone,
    ALTER COLUMN price_cents DROP DEFAULT, ALTER COLUMN currency DROP DEFAULT
"""
# Nobody calls the `bookings_hold` of 0009 any more.
DROP_OLD = """
DROP FUNCTION bookings_hold(
    uuid, bigint, bigint, bigint, uuid, text, text, bigint, interval, interval, integer, integer,
    integer, uuid, uuid, boolean, boolean, text, text, text, text, text, integer, text, text);
DROP FUNCTION bookings_coming_visits(bigint, timestamptz, uuid);
"""
DROP_NEW = """
DROP FUNCTION bookings_hold(
    uuid, bigint, bigint, bigint, uuid, text, text, bigint, interval, interval, integer, integer,
    integer, uuid, uuid, boolean, boolean, text, text, text, text, text, text, integer, text, text);
DROP FUNCTION bookings_coming_visits(bigint, timestamptz);
DROP TRIGGER change_of_what_was_agreed_is_the_next_version ON bookings_appointment;
DROP TRIGGER bookings_appointment_says_what_was_agreed ON bookings_appointment;
DROP TRIGGER bookings_hold_says_what_is_agreed ON bookings_hold;
DROP FUNCTION bookings_fill_in_what_is_agreed();
"""


def text(name: str) -> str:
    return (SQL / name).read_text()


def function(name: str, *, of: str) -> str:
    """One function of a file, up to its end."""
    found = text(of)
    found = found[found.index(f"FUNCTION {name}(") :]
    return f"CREATE OR REPLACE {found[: found.index('$$;') + 3]}"


def added(model: str, name: str):
    known = model == 'appointment' and name in HAD_BEFORE
    operation = migrations.AlterField if known else migrations.AddField
    return operation(model_name=model, name=name, field=FIELDS[name].clone())


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0013_right_to_read_of_patients'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ADD_TO_APPOINTMENTS, TAKE_FROM_APPOINTMENTS)],
            state_operations=[added('appointment', name) for name in FIELDS],
        ),
        *(added('hold', name) for name in FIELDS),
        migrations.RunSQL(
            [text("0014_agreed.sql"), text("0014_hold.sql"), text("0014_confirm.sql"), DROP_OLD],
            [
                DROP_NEW,
                function("bookings_coming_visits", of="0008_hold.sql"),
                function("bookings_filled_appointment", of="0008_confirm.sql"),
                function("bookings_hold", of="0009_hold.sql"),
                text("0010_hold.sql"),
                text("0010_confirm.sql"),
            ],
        ),
    ]
