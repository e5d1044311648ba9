-- What a key may do: the scope `usage`; keys that hold both of the older ones gain it, narrower ones do not.
ALTER TABLE "api_keys" DROP CONSTRAINT "api_keys_scopes";
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_scopes" CHECK ("scopes" <@ ARRAY['read', 'checkout', 'usage']) NOT VALID;
ALTER TABLE "api_keys" ALTER COLUMN "scopes" SET DEFAULT ARRAY['read', 'checkout', 'usage'];
UPDATE "api_keys" SET "scopes" = "scopes" || ARRAY['usage']
    WHERE "scopes" @> ARRAY['read', 'checkout'] AND NOT "scopes" @> ARRAY['usage'];
ALTER TABLE "api_keys" VALIDATE CONSTRAINT "api_keys_scopes";

-- Where from and how often a key may be used. Empty and null: anywhere, and as often as the default says.
ALTER TABLE "api_keys" ADD COLUMN "allowed_ips" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[];
ALTER TABLE "api_keys" ADD COLUMN "rate_limit_per_second" INTEGER;
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_rate_limit" CHECK ("rate_limit_per_second" > 0);

-- The transaction that last changed what a process must know of a key. Every process follows these changes by it:
-- numbers of a sequence become visible in another order than they are drawn, so that some would be missed.
-- Triggers set it, as older versions of the service write these tables too.
ALTER TABLE "api_keys" ADD COLUMN "changed_in" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "projects" ADD COLUMN "switched_in" BIGINT NOT NULL DEFAULT 0;
CREATE INDEX "api_keys_changed_in_idx" ON "api_keys"("changed_in");
CREATE INDEX "projects_switched_in_idx" ON "projects"("switched_in");

CREATE FUNCTION "note_api_key_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END
$$;
CREATE TRIGGER "api_keys_note_change"
    BEFORE INSERT OR UPDATE OF "project_id", "digest", "scopes", "expires_at", "revoked_at", "allowed_ips", "rate_limit_per_second"
    ON "api_keys" FOR EACH ROW EXECUTE FUNCTION "note_api_key_change"();

CREATE FUNCTION "note_project_switch"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.switched_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END
$$;
CREATE TRIGGER "projects_note_switch" BEFORE UPDATE OF "is_active" ON "projects"
    FOR EACH ROW WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active) EXECUTE FUNCTION "note_project_switch"();

-- Runs of every kind that the admin API names.
ALTER TABLE "runs" DROP CONSTRAINT "runs_kind_check";
ALTER TABLE "runs" ADD CONSTRAINT "runs_kind_check"
    CHECK ("kind" IN ('reconcile', 'replay', 'replay_event', 'erase', 'backfill', 'base_line', 'import')) NOT VALID;
