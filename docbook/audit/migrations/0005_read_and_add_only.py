# The triggers refuse changes; those who serve, and do not own the tables, may not even ask for one.

from django.db import migrations

READ_AND_ADD_ONLY = """
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT DISTINCT format(
            'REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %s FROM %s',
            c.oid::regclass,
            CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE given.grantee::regrole::text END)
        FROM pg_class c, aclexplode(c.relacl) given
        WHERE c.oid IN ('audit_auditevent'::regclass, 'audit_auditseal'::regclass)
          AND given.grantee <> c.relowner
    LOOP
        EXECUTE statement;
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_never_emptied'),
    ]

    operations = [
        migrations.RunSQL(READ_AND_ADD_ONLY, migrations.RunSQL.noop),
    ]
