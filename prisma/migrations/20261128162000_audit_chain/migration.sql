-- Audit rows become a chain: each holds the digest of the one before, and a digest of its readable part, which lies beside it
-- in "audit_subjects" so that it can be erased. How digests are made: docs/decisions/0019-audit-chain.md.
-- Processes of older versions still insert the readable part into "audit_log": a trigger moves it, for them and for newer ones.
-- They are not let in between.
LOCK TABLE "audit_log" IN ACCESS EXCLUSIVE MODE;

DROP TRIGGER "audit_log_is_append_only" ON "audit_log";
DROP TRIGGER "audit_log_is_not_truncated" ON "audit_log";
DROP INDEX "audit_log_target_type_target_id_id_idx";

-- The readable part of one audit row. An erasure empties it: it sets "erased_at" and everything but "subject" to null.
CREATE TABLE "audit_subjects" (
    "subject" UUID NOT NULL,
    "salt" BYTEA,
    "target_id" TEXT COLLATE "C",
    "reason" TEXT,
    "details" JSONB,
    "erased_at" TIMESTAMPTZ(3),

    CONSTRAINT "audit_subjects_pkey" PRIMARY KEY ("subject"),
    CONSTRAINT "audit_subjects_whole_or_erased" CHECK (CASE WHEN "erased_at" IS NULL
        THEN "salt" IS NOT NULL AND "target_id" IS NOT NULL AND "details" IS NOT NULL
        ELSE "salt" IS NULL AND "target_id" IS NULL AND "reason" IS NULL AND "details" IS NULL END)
);
CREATE INDEX "audit_subjects_target_id_idx" ON "audit_subjects"("target_id");

-- The end of the chain, in one row: who adds to the chain locks it, so that the order of ids is the order of the chain and of
-- the commits.
CREATE TABLE "audit_head" (
    "is_only" BOOLEAN NOT NULL DEFAULT true,
    "id" BIGINT NOT NULL,
    "digest" BYTEA NOT NULL,

    CONSTRAINT "audit_head_pkey" PRIMARY KEY ("is_only"),
    CONSTRAINT "audit_head_is_one_row" CHECK ("is_only")
);

ALTER TABLE "audit_log"
    ADD COLUMN "subject" UUID,
    ADD COLUMN "subject_digest" BYTEA,
    ADD COLUMN "previous_digest" BYTEA,
    ADD COLUMN "digest" BYTEA,
    ALTER COLUMN "target_id" SET DEFAULT '';

-- Fields as netstrings: the length in bytes, a colon, the text in UTF-8, a comma; null is "-,".
CREATE FUNCTION "audit_fields"(VARIADIC "fields" TEXT[]) RETURNS BYTEA LANGUAGE sql IMMUTABLE AS $$
    SELECT convert_to(string_agg(coalesce(octet_length(convert_to(field, 'UTF8')) || ':' || field, '-') || ',', '' ORDER BY place), 'UTF8')
    FROM unnest(fields) WITH ORDINALITY AS one(field, place)
$$;

CREATE FUNCTION "audit_subject_digest"("kept" "audit_subjects") RETURNS BYTEA LANGUAGE sql STABLE AS $$
    SELECT sha256(kept.salt || public.audit_fields(kept.subject::text, kept.target_id, kept.reason, kept.details::text))
$$;

-- "at" counts in whole milliseconds since 1970.
CREATE FUNCTION "audit_entry_digest"("entry" "audit_log") RETURNS BYTEA LANGUAGE sql STABLE AS $$
    SELECT sha256(public.audit_fields('audit-1', encode(entry.previous_digest, 'hex'), entry.id::text,
        round(extract(epoch FROM entry.at) * 1000)::bigint::text, entry.actor, entry.action, entry.project_id,
        entry.target_type, entry.request_id, entry.subject::text, encode(entry.subject_digest, 'hex')))
$$;

-- Puts the readable part of an entry into "audit_subjects", and in its place a random number and a salted digest.
CREATE FUNCTION "split_audit_entry"("entry" "audit_log") RETURNS "audit_log" LANGUAGE plpgsql AS $$
DECLARE
    kept public.audit_subjects;
BEGIN
    kept.subject := gen_random_uuid();
    kept.salt := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    kept.target_id := entry.target_id;
    kept.reason := entry.reason;
    kept.details := entry.details;
    INSERT INTO public.audit_subjects SELECT kept.*;
    entry.subject := kept.subject;
    entry.subject_digest := public.audit_subject_digest(kept);
    entry.target_id := '';
    entry.reason := NULL;
    entry.details := '{}';
    RETURN entry;
END
$$;

-- Today's rows: split, and the first of the chain.
DO $$
DECLARE
    entry public.audit_log;
    head public.audit_head := ROW(true, 0, decode(repeat('00', 32), 'hex'));
BEGIN
    FOR entry IN SELECT * FROM public.audit_log ORDER BY id LOOP
        entry := public.split_audit_entry(entry);
        entry.previous_digest := head.digest;
        entry.digest := public.audit_entry_digest(entry);
        UPDATE public.audit_log SET subject = entry.subject, subject_digest = entry.subject_digest,
            previous_digest = entry.previous_digest, digest = entry.digest,
            target_id = entry.target_id, reason = entry.reason, details = entry.details
        WHERE id = entry.id;
        head.id := entry.id;
        head.digest := entry.digest;
    END LOOP;
    INSERT INTO public.audit_head SELECT head.*;
END
$$;

ALTER TABLE "audit_log"
    ALTER COLUMN "subject" SET NOT NULL,
    ALTER COLUMN "subject_digest" SET NOT NULL,
    ALTER COLUMN "previous_digest" SET NOT NULL,
    ALTER COLUMN "digest" SET NOT NULL;
CREATE UNIQUE INDEX "audit_log_subject_key" ON "audit_log"("subject");
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_subject_fkey" FOREIGN KEY ("subject") REFERENCES "audit_subjects"("subject") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- As the owner: the role that inserts may neither change the head nor insert into "audit_subjects".
CREATE FUNCTION "chain_audit_entry"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head public.audit_head;
BEGIN
    NEW := public.split_audit_entry(NEW);
    SELECT * INTO STRICT head FROM public.audit_head FOR UPDATE;
    NEW.id := head.id + 1;
    NEW.previous_digest := head.digest;
    NEW.digest := public.audit_entry_digest(NEW);
    UPDATE public.audit_head SET id = NEW.id, digest = NEW.digest;
    RETURN NEW;
END
$$;
CREATE TRIGGER "audit_log_is_a_chain" BEFORE INSERT ON "audit_log"
    FOR EACH ROW EXECUTE FUNCTION "chain_audit_entry"();

CREATE OR REPLACE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER "audit_log_is_append_only" BEFORE UPDATE OR DELETE ON "audit_log"
    FOR EACH ROW EXECUTE FUNCTION "refuse_audit_change"();
CREATE TRIGGER "audit_log_is_not_truncated" BEFORE TRUNCATE ON "audit_log"
    FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
CREATE TRIGGER "audit_subjects_are_not_deleted" BEFORE DELETE ON "audit_subjects"
    FOR EACH ROW EXECUTE FUNCTION "refuse_audit_change"();
CREATE TRIGGER "audit_subjects_are_not_truncated" BEFORE TRUNCATE ON "audit_subjects"
    FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
CREATE TRIGGER "audit_head_is_not_deleted" BEFORE DELETE ON "audit_head"
    FOR EACH ROW EXECUTE FUNCTION "refuse_audit_change"();
CREATE TRIGGER "audit_head_is_not_truncated" BEFORE TRUNCATE ON "audit_head"
    FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();

-- The only change of a readable part is its erasure (the CHECK above says what that is); erasing again changes nothing.
CREATE FUNCTION "allow_audit_erasure"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.subject <> OLD.subject OR NEW.erased_at IS NULL THEN
        RAISE EXCEPTION 'audit_subjects can only be erased' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.erased_at IS NULL THEN
        RETURN NEW;
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER "audit_subjects_can_only_be_erased" BEFORE UPDATE ON "audit_subjects"
    FOR EACH ROW EXECUTE FUNCTION "allow_audit_erasure"();

-- Erases the readable part of one audit row; false: there is none, or it is erased already. The role of the processes may update
-- these columns, and the trigger above allows no other update.
CREATE FUNCTION "erase_audit_subject"("erased" UUID) RETURNS BOOLEAN LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.audit_subjects
    SET salt = NULL, target_id = NULL, reason = NULL, details = NULL, erased_at = clock_timestamp()
    WHERE subject = erased AND erased_at IS NULL;
    RETURN FOUND;
END
$$;

REVOKE EXECUTE ON FUNCTION "audit_fields"(TEXT[]), "audit_subject_digest"("audit_subjects"), "audit_entry_digest"("audit_log"),
    "split_audit_entry"("audit_log"), "chain_audit_entry"(), "refuse_audit_change"(), "allow_audit_erasure"(),
    "erase_audit_subject"(UUID) FROM PUBLIC;
