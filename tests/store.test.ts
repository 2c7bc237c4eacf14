// runs on: all
/** The store contract on every store: the file on each host that this runtime has, and memory. */
import { detectHost } from "../adapters/detect.ts";
import { file } from "../src/store/file.ts";
import { memory } from "../src/store/memory.ts";
import { storeContract, type StoreUnderTest } from "./contract/store.ts";
import { memoryHostUnderTest, realHostUnderTest } from "./support/host_under_test.ts";
import type { HostUnderTest } from "./contract/host.ts";

const fileOn = async (under: HostUnderTest): Promise<StoreUnderTest> => {
  const store = file(`${under.directory}/config.json`);
  return await Promise.resolve({ ...under, store });
};
const runtimeHost = detectHost();

storeContract(
  `file, ${runtimeHost.name}`,
  async () => fileOn(await realHostUnderTest(runtimeHost)),
);
storeContract("file, memory host", async () => fileOn(await memoryHostUnderTest()));
storeContract("memory", async () => ({ ...await memoryHostUnderTest(), store: memory() }));
