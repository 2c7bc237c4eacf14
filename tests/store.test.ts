// runs on: all
/** The store contract on every store: the file on each host that this runtime has, and memory. */
import { detectHost } from "../adapters/detect.ts";
import { file } from "../src/store/file/file.ts";
import { memory } from "../src/store/memory.ts";
import { storeContract, type StoreUnderTest } from "./contract/store.ts";
import {
  type EditableUnderTest,
  storeEditsContract,
  storeHistoryContract,
} from "./contract/store_history.ts";
import { storeIntentContract } from "./contract/store_intent.ts";
import { memoryHostUnderTest, realHostUnderTest } from "./support/host_under_test.ts";
import type { HostUnderTest } from "./contract/host.ts";

const fileOn = (under: HostUnderTest): EditableUnderTest => {
  const path = `${under.directory}/config.json`;
  return { ...under, store: file(path), save: (text) => under.outside.replaceFile(path, text) };
};
const runtimeHost = detectHost();
const onDisk = async () => fileOn(await realHostUnderTest(runtimeHost));
const onMemoryHost = async () => fileOn(await memoryHostUnderTest());
const inMemory = async (): Promise<StoreUnderTest> => {
  return { ...await memoryHostUnderTest(), store: memory() };
};

for (
  const [name, make] of [[`file, ${runtimeHost.name}`, onDisk], [
    "file, memory host",
    onMemoryHost,
  ]] as const
) {
  storeContract(name, make);
  storeHistoryContract(name, make);
  storeEditsContract(name, make);
  storeIntentContract(name, make);
}
storeContract("memory", inMemory);
storeHistoryContract("memory", inMemory);
storeIntentContract("memory", inMemory);
