# Triggers for rows do not see a TRUNCATE: it has one of its own.

from django.db import migrations

NEVER_EMPTIED = """
CREATE TRIGGER audit_events_are_never_emptied
    BEFORE TRUNCATE ON audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_seals_are_never_emptied
    BEFORE TRUNCATE ON audit_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""

DROP = """
DROP TRIGGER audit_events_are_never_emptied ON audit_auditevent;
DROP TRIGGER audit_seals_are_never_emptied ON audit_auditseal;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_by_transaction'),
    ]

    operations = [
        migrations.RunSQL(NEVER_EMPTIED, DROP),
    ]
