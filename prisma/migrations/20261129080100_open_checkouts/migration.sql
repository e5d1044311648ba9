-- The checkout page of Stripe's that is open for a user and a group of plans (or a price that has none), so that two tabs
-- do not buy twice. Old processes know none of it: what they open is found when it is paid.
CREATE TABLE "open_checkouts" (
    "user_ref" BIGINT NOT NULL,
    "slot" TEXT COLLATE "C" NOT NULL,
    "session_id" TEXT COLLATE "C",
    "request_hash" TEXT COLLATE "C",
    "locked_until" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    CONSTRAINT "open_checkouts_pkey" PRIMARY KEY ("user_ref", "slot"),
    CONSTRAINT "open_checkouts_user_ref_fkey" FOREIGN KEY ("user_ref") REFERENCES "users"("id")
        ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "open_checkouts_expires_at_idx" ON "open_checkouts"("expires_at");
