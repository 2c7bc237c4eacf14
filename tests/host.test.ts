// runs on: all
import assert from "node:assert/strict";
import process from "node:process";
import { bunHost } from "../adapters/bun.ts";
import { denoHost } from "../adapters/deno.ts";
import { detectHost } from "../adapters/detect.ts";
import { nodeHost } from "../adapters/node.ts";
import { isHoldfastError } from "../src/core/error.ts";
import { assertRefused, hostContract } from "./contract/host.ts";
import {
  memoryAbilities,
  memoryHostUnderTest,
  permits,
  realAbilities,
  realHostUnderTest,
} from "./support/host_under_test.ts";
import { describe, runtime, test } from "./support/kit.ts";

hostContract("memory", memoryHostUnderTest, memoryAbilities);
if (runtime === "deno") {
  hostContract("deno", () => realHostUnderTest(denoHost), realAbilities);
} else {
  hostContract("node", () => realHostUnderTest(nodeHost), realAbilities);
}
if (runtime === "bun") hostContract("bun", () => realHostUnderTest(bunHost), realAbilities);

describe("the host of this runtime", () => {
  test("is the one that is detected", () => {
    assert.equal(detectHost().name, runtime);
    const { platform } = process;
    const expected = platform === "win32" ? "windows" : platform;
    assert.equal(detectHost().capabilities.platform, expected);
  });

  if (process.platform === "linux" && permits({ name: "read" })) {
    test("reads files that claim to be empty, up to what it was allowed", async () => {
      const { bytes, stat } = await detectHost().read("/proc/self/status", 1_000_000);
      assert.equal(stat.byteLength, 0);
      assert.match(new TextDecoder().decode(bytes), /^Name:/);
      await assert.rejects(detectHost().read("/proc/self/status", 100), (error) => {
        return isHoldfastError(error, "TOO_LARGE") && error.details.found === undefined;
      });
    });

    test("reads to the end where one read gives only a part", async () => {
      const { bytes } = await detectHost().read("/proc/self/maps", 10_000_000);
      assert.ok(bytes.length > 4097, `only ${bytes.length} bytes`);
      assert.ok(new TextDecoder().decode(bytes).endsWith("\n"));
    });

    test("refuses to read a device", async () => {
      await assert.rejects(detectHost().read("/dev/zero", 100), (error) => {
        return isHoldfastError(error, "UNSAFE_FILE") && error.details.found === "device";
      });
    });
  }

  if (!permits({ name: "read" })) {
    test("names the flag that would permit what was refused", async () => {
      const path = "/nowhere-that-is-permitted";
      for (const operation of ["stat", "list", "resolve"] as const) {
        await assertRefused(denoHost[operation](path), operation, path, "EACCES");
      }
      await assertRefused(denoHost.read(path, 10), "read", path, "EACCES");
      await assertRefused(denoHost.sync(path), "sync", path, "EACCES");
      await assertRefused(denoHost.create(path, 0o600), "create", path, "EACCES");
      await assertRefused(denoHost.remove(path), "remove", path, "EACCES");
      await assertRefused(denoHost.link(path, `${path}-2`), "link", `${path}-2`, "EACCES");
      const watching = { hint: () => {}, failed: () => {}, keepAlive: false };
      await assertRefused(denoHost.watch(path, watching), "watch", path, "EACCES");
      await assert.rejects(denoHost.stat(path), /run again with --allow-read for it/);
      await assert.rejects(denoHost.create(path, 0o600), /run again with --allow-write for it/);
    });

    test("takes what it may not look at for absent", () => {
      assert.equal(denoHost.variable("PATH"), undefined);
      assert.equal(denoHost.variableNames(), undefined);
      assert.equal(denoHost.userId(), undefined);
    });
  } else {
    test("knows the environment and the user", () => {
      assert.equal(detectHost().variable("PATH"), process.env["PATH"]);
      assert.equal(detectHost().userId(), process.getuid?.());
    });
  }
});
