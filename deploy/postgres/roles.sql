-- Three roles: a superuser runs this file, docbook_owner migrates, docbook_app serves.
-- Run it in DocBook's database, before the first migration or at any time after. It may be run again.
-- It sets no passwords. See docs/database-roles.md.

DO $$
BEGIN
    IF to_regrole('docbook_owner') IS NULL THEN
        CREATE ROLE docbook_owner;
    END IF;
    IF to_regrole('docbook_app') IS NULL THEN
        CREATE ROLE docbook_app;
    END IF;
    ALTER ROLE docbook_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    ALTER ROLE docbook_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    IF pg_has_role('docbook_app', 'docbook_owner', 'MEMBER') THEN
        REVOKE docbook_owner FROM docbook_app;
    END IF;
    EXECUTE format('ALTER DATABASE %I OWNER TO docbook_owner', current_database());
    -- A temporary table could hide one of ours.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC, docbook_app', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO docbook_app', current_database());
END $$;

ALTER SCHEMA public OWNER TO docbook_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC, docbook_app;
GRANT USAGE ON SCHEMA public TO docbook_app;

-- What an earlier version made as the superuser. The extensions stay the superuser's.
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('ALTER %s %s OWNER TO docbook_owner', kind, name)
        FROM (
            SELECT 'pg_class'::regclass AS catalogue, oid, relnamespace AS schema,
                   relowner AS owner, oid::regclass::text AS name,
                   CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind
            FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'S')
            UNION ALL
            SELECT 'pg_proc'::regclass, oid, pronamespace, proowner, oid::regprocedure::text, 'ROUTINE'
            FROM pg_proc
            UNION ALL
            SELECT 'pg_type'::regclass, t.oid, typnamespace, typowner, t.oid::regtype::text, 'TYPE'
            FROM pg_type t JOIN pg_class c ON c.oid = typrelid AND relkind = 'c'
        ) made
        WHERE schema = 'public'::regnamespace
          AND owner <> 'docbook_owner'::regrole
          -- Skip parts of an extension (e), and of a table's column (a, i): they follow their table.
          AND NOT EXISTS (
              SELECT FROM pg_depend d
              WHERE d.classid = catalogue AND d.objid = made.oid
                AND (deptype = 'e' OR (kind = 'SEQUENCE' AND deptype IN ('a', 'i')))
          )
    LOOP
        EXECUTE statement;
    END LOOP;
END $$;

-- Existing objects first, then everything that docbook_owner makes from now on.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM docbook_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO docbook_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO docbook_app;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA public TO docbook_app;
ALTER DEFAULT PRIVILEGES FOR ROLE docbook_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO docbook_app;
ALTER DEFAULT PRIVILEGES FOR ROLE docbook_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO docbook_app;
ALTER DEFAULT PRIVILEGES FOR ROLE docbook_owner IN SCHEMA public
    GRANT EXECUTE ON ROUTINES TO docbook_app;

-- The audit may only be read and added to. In a new database a migration does this.
DO $$
BEGIN
    IF to_regclass('public.audit_auditevent') IS NOT NULL THEN
        REVOKE UPDATE, DELETE ON audit_auditevent FROM docbook_app;
    END IF;
    IF to_regclass('public.audit_auditseal') IS NOT NULL THEN
        REVOKE UPDATE, DELETE ON audit_auditseal FROM docbook_app;
    END IF;
END $$;
