/** The contracts of sources and stores on a key of NATS, with a real server. */
import { natsKv } from "../src/store/nats/nats_kv.ts";
import { Kvm } from "@nats-io/kv";
import { detectHost } from "../adapters/detect.ts";
import { sourceContract, storeAsSource } from "./contract/source.ts";
import { storeContract } from "./contract/store.ts";
import {
  type EditableUnderTest,
  storeEditsContract,
  storeHistoryContract,
} from "./contract/store_history.ts";
import { storeIntentContract } from "./contract/store_intent.ts";
import { startNats, withoutNats } from "./services/nats_server.ts";
import { realHostUnderTest } from "./support/host_under_test.ts";
import { test } from "./support/kit.ts";

const runtimeHost = detectHost();

async function onNats(): Promise<EditableUnderTest> {
  const [under, nats] = [await realHostUnderTest(runtimeHost), await startNats()];
  const connection = await nats.connect();
  return {
    ...under,
    store: natsKv({ connection, bucket: "contract", key: "config" }),
    save: async (text) => {
      const bucket = await new Kvm(connection).open("contract");
      await bucket.put("config", text);
    },
    dispose: async () => {
      await nats.dispose();
      await under.dispose();
    },
  };
}

if (withoutNats === false) {
  const name = `NATS, ${runtimeHost.name}`;
  sourceContract(name, async () => await storeAsSource(await onNats()));
  storeContract(name, onNats);
  storeHistoryContract(name, onNats);
  storeEditsContract(name, onNats);
  storeIntentContract(name, onNats);
} else {
  test("the contracts on NATS", { skip: withoutNats }, () => {});
}
