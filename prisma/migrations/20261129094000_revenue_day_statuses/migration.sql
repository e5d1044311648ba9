-- How many subscriptions of a project had which status on each day; {}: a day that an older version wrote.
ALTER TABLE "revenue_days" ADD COLUMN "statuses" JSONB NOT NULL DEFAULT '{}';
