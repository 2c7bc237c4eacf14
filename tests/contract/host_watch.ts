import assert from "node:assert/strict";
import { eventually } from "../support/eventually.ts";
import type { TestContext } from "../support/kit.ts";
import { assertRefused } from "./host.ts";
import type { Abilities, HostTest, HostUnderTest } from "./host.ts";

interface Observed {
  hints: number;
  readonly failures: unknown[];
  close(): void;
}

/** Watching one directory. */
export function hostWatchContract(hostTest: HostTest, abilities: Abilities): void {
  changeContract(hostTest, abilities);

  hostTest(
    "watch refuses what is missing or no directory",
    async ({ host, directory, outside }) => {
      const never = (): never => assert.fail("a watch that never began reported something");
      const options = { hint: never, failed: never, keepAlive: false };
      const [none, file] = [`${directory}/none`, `${directory}/file`];
      await assertRefused(host.watch(none, options), "watch", none, "ENOENT");
      await outside.writeFile(file, "");
      await assertRefused(host.watch(file, options), "watch", file, "ENOTDIR");
    },
  );

  hostTest("a closed watch reports nothing more", async (subject, context) => {
    const { directory, outside, elapse } = subject;
    const closed = await observe(subject, context);
    const open = await observe(subject, context);
    closed.close();
    closed.close();
    const before = closed.hints;
    await outside.writeFile(`${directory}/file`, "text");
    await eventually("the other watch has seen the change", () => open.hints > 0, elapse);
    assert.equal(closed.hints, before);
    assert.deepEqual([...closed.failures, ...open.failures], []);
  });

  hostTest(
    "a watch that is closed by its own hint reports nothing more",
    async (subject, context) => {
      const { host, directory, outside, elapse } = subject;
      let hints = 0;
      const watch = await host.watch(directory, {
        hint: () => {
          hints += 1;
          watch.close();
        },
        failed: (error) => assert.fail(String(error)),
        keepAlive: false,
      });
      context.after(() => watch.close());
      const other = await observe(subject, context);
      for (let round = 0; round < 5; round += 1) {
        const before = other.hints;
        await outside.writeFile(`${directory}/file-${round}`, "text");
        await eventually("the other watch has seen the change", () => other.hints > before, elapse);
      }
      assert.equal(hints, 1);
    },
  );

  hostTest(
    "a watch that keeps the process running is seen to as well",
    async (subject, context) => {
      const { directory, outside, elapse } = subject;
      const observed = await observe(subject, context, true);
      await outside.writeFile(`${directory}/file`, "text");
      await eventually("the change is seen", () => observed.hints > 0, elapse);
    },
  );
}

function changeContract(hostTest: HostTest, abilities: Abilities): void {
  const sees = (
    what: string,
    before: (subject: HostUnderTest) => Promise<void>,
    act: (subject: HostUnderTest) => Promise<void>,
  ): void => {
    hostTest(`watch sees ${what}`, async (subject, context) => {
      await before(subject);
      const observed = await observe(subject, context);
      await act(subject);
      await eventually(`${what} is seen`, () => observed.hints > 0, subject.elapse);
      assert.deepEqual(observed.failures, []);
    });
  };
  const nothing = async (): Promise<void> => {};
  const writeFile = ({ outside, directory }: HostUnderTest): Promise<void> => {
    return outside.writeFile(`${directory}/file`, "old");
  };

  sees("a file made by this host", nothing, async ({ host, directory }) => {
    await (await host.create(`${directory}/file`, 0o600)).close();
  });
  sees("a file made by another program", nothing, writeFile);
  sees("a change in place", writeFile, ({ outside, directory }) => {
    return outside.writeFile(`${directory}/file`, "new");
  });
  sees("an atomic replacement", writeFile, ({ outside, directory }) => {
    return outside.replaceFile(`${directory}/file`, "new");
  });
  sees("a file that is removed", writeFile, ({ outside, directory }) => {
    return outside.removeFile(`${directory}/file`);
  });
  sees("a file that is moved away", writeFile, ({ outside, directory }) => {
    return outside.rename(`${directory}/file`, `${directory}/elsewhere`);
  });
  sees("a second name", writeFile, ({ host, directory }) => {
    return host.link(`${directory}/file`, `${directory}/second`);
  });
  sees("a directory made in it", nothing, ({ outside, directory }) => {
    return outside.makeDirectory(`${directory}/sub`);
  });

  if (abilities.symlink) {
    sees("a swap of the link ..data", async ({ outside, directory }) => {
      await outside.makeDirectory(`${directory}/..1`);
      await outside.makeDirectory(`${directory}/..2`);
      await outside.symlink("..1", `${directory}/..data`);
      await outside.symlink("..2", `${directory}/..data_tmp`);
    }, ({ outside, directory }) => {
      return outside.rename(`${directory}/..data_tmp`, `${directory}/..data`);
    });
  }
}

async function observe(
  { host, directory }: HostUnderTest,
  context: TestContext,
  keepAlive = false,
): Promise<Observed> {
  const failures: unknown[] = [];
  const watch = await host.watch(directory, {
    hint: () => {
      observed.hints += 1;
    },
    failed: (error) => void failures.push(error),
    keepAlive,
  });
  const observed: Observed = { hints: 0, failures, close: () => watch.close() };
  context.after(() => watch.close());
  return observed;
}
