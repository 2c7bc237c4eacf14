// runs on: all
/** The source contract on every source that needs no server, on a simulated host and on that of this runtime. */
import { detectHost } from "../adapters/detect.ts";
import { memoryHost } from "../adapters/memory.ts";
import { directory } from "../src/source/directory.ts";
import { env } from "../src/source/env.ts";
import { overrides } from "../src/source/overrides.ts";
import { file } from "../src/store/file/file.ts";
import { withLastGood } from "../src/store/last_good.ts";
import { layered } from "../src/store/layered.ts";
import { memory } from "../src/store/memory.ts";
import type { HostUnderTest } from "./contract/host.ts";
import { commitRate, sourceContract, type SourceUnderTest } from "./contract/source.ts";
import { memoryHostUnderTest, realHostUnderTest } from "./support/host_under_test.ts";

type Made = Pick<SourceUnderTest, "source" | "give" | "spoil">;

const runtimeHost = detectHost();
const text = (rate: number) => JSON.stringify({ rate });

/** A source of files, of which one has the rate. */
async function ofFile(
  { outside, directory: place }: HostUnderTest,
  name: string,
  make: (place: string) => Made["source"],
  write: (rate: number) => string = text,
): Promise<Made> {
  const give = (rate: number) => outside.replaceFile(`${place}/${name}`, write(rate));
  await give(1);
  const spoil = () => outside.writeFile(`${place}/${name}`, "{ what?");
  return { source: make(place), give, spoil };
}

const ofFiles: Readonly<Record<string, (under: HostUnderTest) => Promise<Made>>> = {
  "file": (under) => ofFile(under, "a.json", (place) => file(`${place}/a.json`)),
  "file that extends": async (under) => {
    const { outside, directory: place } = under;
    await outside.writeFile(`${place}/top.json`, `{ "extends": "base.json" }`);
    return await ofFile(under, "base.json", () => file(`${place}/top.json`, { extends: true }));
  },
  "directory": async (under) => {
    const { outside, directory: place } = under;
    await outside.writeFile(`${place}/a.jsonc`, "{} // nothing");
    await outside.writeFile(`${place}/c.toml`, "# nothing");
    return await ofFile(under, "b.json", directory);
  },
  "file with its last good one kept": (under) => {
    return ofFile(under, "a.json", (place) => {
      return withLastGood(file(`${place}/a.json`), `${place}/kept/last.json`, 5000);
    });
  },
  "env": (under) => {
    return ofFile(
      under,
      ".env",
      (place) => env({ prefix: "HOLDFAST_TEST_", files: `${place}/.env` }),
      (rate) => `# a comment\nHOLDFAST_TEST_RATE=${rate}\n`,
    );
  },
  "layered": async (under) => {
    const { outside, directory: place } = under;
    await outside.makeDirectory(`${place}/conf.d`);
    await outside.writeFile(`${place}/low.json`, `{ "rate": 0 }`);
    return await ofFile(under, "conf.d/a.json", () => {
      return layered({ layers: [file(`${place}/low.json`), directory(`${place}/conf.d`)] });
    });
  },
};

for (const [name, make] of Object.entries(ofFiles)) {
  const on = (under: () => Promise<HostUnderTest>) => async (): Promise<SourceUnderTest> => {
    const place = await under();
    return { ...place, ...await make(place) };
  };
  sourceContract(`${name}, ${runtimeHost.name}`, on(() => realHostUnderTest(runtimeHost)));
  sourceContract(`${name}, memory host`, on(memoryHostUnderTest));
}

sourceContract("env without files, memory host", async () => {
  const under = await memoryHostUnderTest();
  const variables: Record<string, string> = { APP_RATE: "1" };
  const host = memoryHost({ variables });
  const give = (rate: number) => Promise.resolve(void (variables["APP_RATE"] = String(rate)));
  return { ...under, host, elapse: host.advance, source: env({ prefix: "APP_" }), give };
});

sourceContract("overrides", async () => {
  return { ...await memoryHostUnderTest(), source: overrides({ rate: 1 }) };
});

sourceContract("memory", async () => {
  const under = await memoryHostUnderTest();
  const source = memory({ rate: 1 });
  return { ...under, source, give: (rate) => commitRate(source, under.host, rate) };
});

sourceContract("layered store, memory", async () => {
  const under = await memoryHostUnderTest();
  const low = memory({ rate: 1 });
  const source = layered({ layers: [low, memory({})], head: 1 });
  return { ...under, source, give: (rate) => commitRate(low, under.host, rate) };
});
