/** The contracts of sources and stores on PostgreSQL, unchanged, against a real server. */
import { sourceContract, storeAsSource } from "./contract/source.ts";
import { storeContract } from "./contract/store.ts";
import { storeEditsContract, storeHistoryContract } from "./contract/store_history.ts";
import { storeIntentContract } from "./contract/store_intent.ts";
import { postgresUnderTest, serverTests } from "./services/postgres_store.ts";

serverTests((skip) => {
  if (skip !== false) return;
  sourceContract("postgres", async () => await storeAsSource(await postgresUnderTest()));
  storeContract("postgres", postgresUnderTest);
  storeHistoryContract("postgres", postgresUnderTest);
  storeEditsContract("postgres", postgresUnderTest);
  storeIntentContract("postgres", postgresUnderTest);
});
