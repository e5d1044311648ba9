-- Transactions of usage that could not tell Redis which copies they make old. Processes ask for new ones several times a second; one
-- row a transaction, deleted after some minutes. Filled only while Redis is away.
CREATE TABLE "usage_unmarked_commits" (
    "changed_in" BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    "committed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "usage_unmarked_commits_pkey" PRIMARY KEY ("changed_in")
);
