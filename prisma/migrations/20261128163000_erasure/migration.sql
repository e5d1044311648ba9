-- Users who were erased: a digest in place of the id, made with a key that only processes have (ERASURE_KEY).
CREATE TABLE "erased_users" (
    "digest" BYTEA NOT NULL,
    "key_id" TEXT COLLATE "C" NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "version" BIGINT NOT NULL,
    "erased_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "erased_users_pkey" PRIMARY KEY ("digest"),
    CONSTRAINT "erased_users_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE INDEX "erased_users_key_id_idx" ON "erased_users" ("key_id");
CREATE INDEX "erased_users_project_id_version_idx" ON "erased_users" ("project_id", "version");

-- The number of the latest erasure, in one row: who makes users from what was decided before locks it, and sees whether there
-- was another one since, however old its snapshot is.
CREATE TABLE "erasure_mark" (
    "is_only" BOOLEAN NOT NULL DEFAULT true,
    "sequence" BIGINT NOT NULL,

    CONSTRAINT "erasure_mark_pkey" PRIMARY KEY ("is_only"),
    CONSTRAINT "erasure_mark_is_one_row" CHECK ("is_only")
);
INSERT INTO "erasure_mark" ("sequence") VALUES (0);

-- Stripe's ids of what erased users had in a project: subscriptions, payments, sessions, charges, customers.
CREATE TABLE "erased_objects" (
    "object_id" TEXT COLLATE "C" NOT NULL,
    "project_id" TEXT COLLATE "C" NOT NULL,
    "erased_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "erased_objects_pkey" PRIMARY KEY ("object_id", "project_id")
);

-- A user who comes back starts above the version that was erased. Nothing tells one erased user from another here, so each new
-- user of a project starts above all of them. The lock is the one that an erasure holds: whoever waits for it sees the erasure.
CREATE FUNCTION "start_user_version"() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('billing.erasure'));
    NEW.version := NEW.version + coalesce((SELECT max(version) FROM public.erased_users WHERE project_id = NEW.project_id), 0);
    RETURN NEW;
END
$$;
CREATE TRIGGER "users_start_above_erased_versions" BEFORE INSERT ON "users"
    FOR EACH ROW EXECUTE FUNCTION "start_user_version"();
