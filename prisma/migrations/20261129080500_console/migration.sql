-- Who is signed in to the console. The cookie itself is never stored, only its SHA-256 digest.
CREATE TABLE "console_sessions" (
    "id" TEXT COLLATE "C" NOT NULL,
    "digest" BYTEA NOT NULL,
    "name" TEXT COLLATE "C" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "last_used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "console_sessions_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "console_sessions_digest_key" ON "console_sessions"("digest");
CREATE INDEX "console_sessions_created_at_id_idx" ON "console_sessions"("created_at", "id");

-- The queues and the events of the last two days, a row for every ten seconds: the first worker that comes makes it.
CREATE TABLE "samples" (
    "at" TIMESTAMPTZ(3) NOT NULL,
    "queues" JSONB NOT NULL DEFAULT '[]',
    "events" JSONB NOT NULL DEFAULT '{}',
    "stripe_reads" JSONB,

    CONSTRAINT "samples_pkey" PRIMARY KEY ("at")
);

-- What a process is: api or worker. Null: of a version that did not say, or a command line.
ALTER TABLE "cache_processes" ADD COLUMN "service" TEXT;
