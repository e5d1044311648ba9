-- Of a group at most one is the default.
CREATE UNIQUE INDEX CONCURRENTLY "products_default_key" ON "products" ("project_id", "plan_group") WHERE "is_default";
