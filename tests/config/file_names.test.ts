// runs on: all
/** Odd names, links that move, and what has to be durable around a file. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { baseName, directoryOf, joinPath, pathFromUrl } from "../../src/host/path.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const watch = false;
const private_ = { mode: 0o600 };

describe("paths", () => {
  test("a backslash is a separator on Windows alone", () => {
    assert.deepEqual([directoryOf("/d/a\\b.json"), baseName("/d/a\\b.json")], ["/d", "a\\b.json"]);
    assert.deepEqual([directoryOf("C:\\d\\a.json"), baseName("C:/d/a.json")], ["C:\\d", "a.json"]);
    assert.equal(directoryOf("C:\\a.json"), "C:\\");
    assert.equal(directoryOf("/a.json"), "/");
    assert.equal(directoryOf("/d:/a.json"), "/d:");
    assert.deepEqual([joinPath("/d\\", "a"), joinPath("C:\\d", "a"), joinPath("/", "a")], [
      "/d\\/a",
      "C:\\d\\a",
      "/a",
    ]);
  });

  test("a URL that names no local file is UNSUPPORTED, whatever is wrong with it", () => {
    assert.equal(pathFromUrl(new URL("file:///d/a%20b.json"), "linux"), "/d/a b.json");
    assert.equal(pathFromUrl(new URL("file:///C:/d/a.json"), "windows"), "C:/d/a.json");
    for (
      const bad of ["https://host/a.json", "file:///100%.json", "file:///a%2Fb", "file:///a%ff"]
    ) {
      assert.throws(() => pathFromUrl(new URL(bad), "linux"), { code: "UNSUPPORTED" });
    }
  });

  test("one that ends in a slash is refused, and no directory is made", async () => {
    const { host, openConfig } = hostWith();
    await assert.rejects(openConfig("/etc/app/x.json/", { seed: {} }), { code: "UNSUPPORTED" });
    assert.deepEqual(await host.list("/etc/app"), []);
  });

  test("a name as long as the filesystem allows can be written, and over refused content", async () => {
    const { host, openConfig } = hostWith();
    const long = `/etc/app/${"x".repeat(250)}.json`;
    const names: string[] = [];
    host.faults = ({ path }) => void names.push(path.split("/").at(-1)!);
    const config = await openConfig(long, { seed: { a: 1 }, watch, ...remember() });
    host.outside.replaceFile(long, "{ broken", private_);
    await config.reload().catch(() => {});
    await config.set({ a: 2 });
    assert.ok(names.every((name) => name.length <= 255), names.find((name) => name.length > 255));
    assert.deepEqual(JSON.parse(host.outside.readFile(long)), { a: 2 });
  });
});

test("directories made for a seed are flushed, each in the one above", async () => {
  const { host, openConfig } = hostWith();
  await openConfig("/etc/app/one/two/config.json", { seed: {}, watch });
  const synced = host.syncs.map(({ path }) => path);
  for (const directory of ["/etc/app", "/etc/app/one", "/etc/app/one/two"]) {
    assert.ok(synced.includes(directory), `${directory} was not synced: ${synced}`);
  }
});

test("a link that is swapped during a commit does not lead the write astray", async () => {
  const { host, openConfig } = hostWith();
  const { outside } = host;
  for (const release of ["1", "2"]) {
    outside.writeFile(`/srv/${release}/config.json`, '{"rate":1}', private_);
  }
  outside.symlink("1", "/srv/current");
  const config = await openConfig("/srv/current/config.json", { watch });
  let swapped = false;
  host.faults = ({ operation }) => {
    if (operation !== "create" || swapped) return;
    swapped = true;
    outside.symlink("2", "/srv/next");
    outside.rename("/srv/next", "/srv/current");
  };
  await config.set({ rate: 42 });
  assert.deepEqual(JSON.parse(outside.readFile("/srv/current/config.json")), { rate: 42 });
  assert.equal(outside.readFile("/srv/1/config.json"), '{"rate":1}');
});

test("a user who is unknown cannot judge owners, and says so", async () => {
  const { memoryHost } = await import("../../adapters/memory.ts");
  const { openConfigOn } = await import("../../src/config/open.ts");
  const host = memoryHost({ userId: null });
  host.outside.writeFile(path, "{}", { mode: 0o600, userId: 4711 });
  const told = remember();
  await openConfigOn(() => host)(path, { watch, ...told });
  assert.match(told.lines.join(), /owner of .* cannot be judged/);
});

test("many problems in one document are told in time that grows with the document", async () => {
  const { openConfig } = hostWith(
    JSON.stringify({ list: Array.from({ length: 50_000 }, () => "x") }),
  );
  const schema = v.object({ list: v.array(v.number()) });
  await assert.rejects(
    openConfig(path, { schema }),
    (error: { details: { problems: unknown[] } }) => {
      const { problems } = error.details as { problems: { line?: number }[] };
      assert.equal(problems.length, 50_000);
      assert.equal(problems.filter(({ line }) => line !== undefined).length, 100);
      return true;
    },
  );
});
