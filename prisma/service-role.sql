-- What the service role may do, granted by the owner of the tables after each `db:migrate` that knows both. Its name is
-- in the setting `billing.service_role`. A table is readable and writable unless it is named below; what later versions create
-- is so at once, by the default privileges.
DO $$
DECLARE
    service TEXT := current_setting('billing.service_role');
    role TEXT := quote_ident(service);
    item RECORD;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = service) THEN
        RAISE EXCEPTION 'the role % does not exist: create it (CREATE ROLE % LOGIN PASSWORD …)', service, role;
    END IF;
    IF pg_has_role(service, current_user, 'MEMBER') OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = service) THEN
        RAISE EXCEPTION 'the role % can act as the owner %: take that from it (NOSUPERUSER, REVOKE % FROM %)',
            service, current_user, quote_ident(current_user), role;
    END IF;
    SELECT relname INTO item FROM pg_catalog.pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relowner = role::regrole LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the role % owns the table %: give it to the owner (REASSIGN OWNED BY % TO %)',
            service, item.relname, role, quote_ident(current_user);
    END IF;

    IF NOT has_database_privilege(service, current_database(), 'CONNECT') THEN
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %s', current_database(), role);
    END IF;
    IF NOT has_schema_privilege(service, 'public', 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %s', role);
    END IF;
    -- Before version 15 everybody may create tables there.
    IF has_schema_privilege(service, 'public', 'CREATE') THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;

    FOR item IN
        SELECT c.oid::regclass::text AS name, c.relkind = 'S' AS is_sequence FROM pg_catalog.pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            AND pg_has_role(c.relowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    LOOP
        IF item.is_sequence THEN
            EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %s TO %s', item.name, role);
        ELSE
            EXECUTE format('REVOKE ALL ON TABLE %s FROM %s', item.name, role);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO %s', item.name, role);
        END IF;
    END LOOP;
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %s', role);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO %s', role);

    -- Rows of the audit log are added, never changed; its readable parts can be erased (a trigger refuses all else).
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON public.audit_log, public.audit_subjects, public.audit_head, public._prisma_migrations FROM %s', role);
    EXECUTE format('GRANT INSERT ON public.audit_log TO %s', role);
    EXECUTE format('GRANT UPDATE (salt, target_id, reason, details, erased_at) ON public.audit_subjects TO %s', role);

    -- Functions of the owner, such as those that make and drop partitions. Trigger functions need no right to run, and with
    -- one they could be run from a table of one's own.
    ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    FOR item IN
        SELECT p.oid::regprocedure::text AS name, p.prorettype = 'trigger'::regtype AS is_trigger FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND pg_has_role(p.proowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', item.name);
        IF NOT item.is_trigger THEN
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s', item.name, role);
        END IF;
    END LOOP;
END
$$;
