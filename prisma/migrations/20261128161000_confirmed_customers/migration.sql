-- `confirm`: a project's own word that the buyer is the user whose id the buyer typed. What is there has been checked:
-- NOT VALID keeps the lock short.
ALTER TABLE "customers" DROP CONSTRAINT "customers_source";
ALTER TABLE "customers" ADD CONSTRAINT "customers_source"
    CHECK ("source" IN ('checkout', 'admin', 'import', 'event', 'confirm')) NOT VALID;
