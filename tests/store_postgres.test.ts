/** The store contract on PostgreSQL, unchanged, against a real server. */
import { storeContract } from "./contract/store.ts";
import { storeEditsContract, storeHistoryContract } from "./contract/store_history.ts";
import { postgresUnderTest, serverTests } from "./services/postgres_store.ts";

serverTests((skip) => {
  if (skip !== false) return;
  storeContract("postgres", postgresUnderTest);
  storeHistoryContract("postgres", postgresUnderTest);
  storeEditsContract("postgres", postgresUnderTest);
});
