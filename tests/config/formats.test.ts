/** Config files in every format, from opening to rolling back, on the real file system. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openConfig } from "../../mod.ts";
import {
  brisk,
  freshDirectory,
  listen,
  replace,
  until,
  writePrivate,
} from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";

interface Trial {
  readonly name: string;
  readonly first: string;
  /** The same after `rate` became 2. */
  readonly second: string;
  /** What a person makes of it: `rate` is 3. */
  readonly edited: string;
  /** What does not parse, with a secret in it. */
  readonly broken: string;
  readonly line: number;
  readonly column: number;
}

const document = { name: "shop", rate: 1, pool: { size: 4, hosts: ["a", "b"] } };

const yamlText = `\ufeff# The shop.
name: 'shop'   # as shown

rate: 1  # a second
pool: {size: 4, hosts: [a, "b"]}
`;
const tomlText = `# The shop.
name = 'shop'   # as shown

rate = 1  # a second
[pool]
size = 4 # enough
hosts = [ "a", 'b' ]
`.replaceAll("\n", "\r\n");
const jsoncText = `// The shop.
{
    "name": "shop", // as shown

    "rate": 1, /* a second */ "pool": {"size": 4, "hosts": ["a", "b"],},
}`;

const trials: readonly Trial[] = [
  {
    name: "config.yaml",
    first: yamlText,
    second: yamlText.replace("rate: 1", "rate: 2"),
    edited: yamlText.replace("rate: 1  # a second", "rate: 3  # by hand"),
    broken: "name: shop\nrate: 'canary",
    line: 2,
    column: 14,
  },
  {
    name: "config.yml",
    first: `---\n${yamlText.slice(1)}`,
    second: `---\n${yamlText.slice(1)}`.replace("rate: 1", "rate: 2"),
    edited: yamlText.replace("rate: 1", "rate: 3"),
    broken: "name: shop\n\tcanary: 1",
    line: 2,
    column: 1,
  },
  {
    name: "config.toml",
    first: tomlText,
    second: tomlText.replace("rate = 1", "rate = 2"),
    edited: tomlText.replace("rate = 1  # a second", "rate = 3 # by hand"),
    broken: 'name = "shop"\nrate = canary',
    line: 2,
    column: 8,
  },
  {
    name: "config.jsonc",
    first: jsoncText,
    second: jsoncText.replace('"rate": 1', '"rate": 2'),
    edited: jsoncText.replace('"rate": 1, /* a second */', '"rate": 3,'),
    broken: '{\n  "rate": canary\n}',
    line: 2,
    column: 11,
  },
];

for (const { name, first, second, edited, broken, line, column } of trials) {
  describe(name, () => {
    test("is read, edited in place, followed and rolled back to the very bytes", async (t) => {
      const path = join(await freshDirectory(t), name);
      await writePrivate(path, first);
      const config = await openConfig(path, { watch: brisk, ...listen() });
      t.after(() => config.close());
      assert.deepEqual(config.value, document);
      const textNow = () => readFile(path, "utf8");

      await config.setAt(["rate"], 2);
      assert.equal(await textNow(), second);
      await replace(path, edited);
      await until("the edit is seen", () => (config.value as { rate: number }).rate === 3);

      await config.patch({ pool: null, added: { x: [1] } });
      assert.deepEqual(config.value, { name: "shop", rate: 3, added: { x: [1] } });
      assert.match(await textNow(), /The shop/);

      const generations = (await config.history()).map(({ generation }) => generation);
      assert.deepEqual(generations, [4, 3, 2, 1]);
      for (const [generation, text] of [[3, edited], [1, first], [2, second]] as const) {
        await config.rollback(generation);
        assert.equal(await textNow(), text);
      }
    });

    test("when it is broken the last good value stays, and status says where", async (t) => {
      const path = join(await freshDirectory(t), name);
      await writePrivate(path, first);
      const ears = listen();
      const config = await openConfig(path, { watch: brisk, ...ears });
      t.after(() => config.close());
      await replace(path, broken);
      await until("it is seen", () => config.status().state === "degraded");
      const [problem] = config.status().problems;
      assert.deepEqual([problem?.line, problem?.column, problem?.source], [line, column, path]);
      assert.deepEqual(config.value, document);
      assert.doesNotMatch(JSON.stringify([config.status(), ears]), /canary/);
      await assert.rejects(config.reload(), {
        code: "PARSE",
        details: { source: path, line, column },
      });

      await replace(path, second);
      await until("it is mended", () => config.status().state === "ok");
      assert.equal((config.value as { rate: number }).rate, 2);
    });

    test("a seed is written, and can be edited", async (t) => {
      const path = join(await freshDirectory(t), name);
      const config = await openConfig(path, { watch: false, seed: document, ...listen() });
      t.after(() => config.close());
      const before = await readFile(path, "utf8");
      await config.setAt(["pool", "size"], 5);
      assert.equal(await readFile(path, "utf8"), before.replace("4", "5"));
    });
  });
}

test("what TOML cannot carry is refused, and nothing is stored", async (t) => {
  const path = join(await freshDirectory(t), "config.toml");
  await writePrivate(path, "a = 1\n");
  const config = await openConfig(path, { watch: false, ...listen() });
  t.after(() => config.close());
  await assert.rejects(config.setAt(["b", "c"], null), {
    code: "INVALID",
    message: /at b\.c: null/,
  });
  await assert.rejects(config.set([1]), { code: "INVALID" });
  assert.equal(await readFile(path, "utf8"), "a = 1\n");
  await config.setAt(["a"], 2);
  assert.equal(await readFile(path, "utf8"), "a = 2\n");
});
