/** Many configs in several processes that follow one document, and a writer in one more. */
import assert from "node:assert/strict";
import type { WatchTiming } from "../../mod.ts";
import { type LineProcess, startLineProcess } from "../support/line_process.ts";
import type { WriterGiven, WriterTold } from "./followed_writer_child.ts";
import type { FollowedPlace } from "./followed_place.ts";
import type { FollowerCommand, FollowerGiven, FollowerTold } from "./follower_child.ts";

export interface FollowersPlan {
  readonly place: FollowedPlace;
  readonly instances: number;
  /** The runtime of each process, by its name among `runtimes`. */
  readonly processes: readonly string[];
  /** Whether all instances of a process go over one connection; each has its own when left out. */
  readonly isShared?: boolean;
  /** How large the document is, in bytes. */
  readonly documentBytes?: number;
}

/** One change and who saw it, by the time of day in milliseconds. */
export interface ChangeSeen extends WriterTold {
  /** By every instance, in no order. */
  readonly seenAt: readonly number[];
}

/** What the processes said at last. */
export interface Farewell {
  /** Each thing that a config warned of, with how often. */
  readonly said: ReadonlyMap<string, number>;
  /** How far apart the clocks of the processes went, in milliseconds. */
  readonly clockErrorMs: number;
}

export interface Followers {
  /** The processes that follow, by their ids. */
  readonly pids: readonly number[];
  /** The coarsest of the clocks, in milliseconds. */
  readonly resolutionMs: number;
  /** Opens all, or opens them anew. */
  open(timing: WatchTiming): Promise<void>;
  /**
   * Writes once and waits until all saw it.
   *
   * @throws when one does not see it, or sees something else
   */
  change(): Promise<ChangeSeen>;
  /** Closes all. */
  close(): Promise<Farewell>;
  /** Ends the processes. */
  end(): Promise<void>;
  /** Ends the processes, whatever they do. */
  kill(): void;
}

const seenMsMax = 30_000;

/** Starts the writer, which makes the document, and the processes, each with its share of the instances. */
export async function startFollowers(plan: FollowersPlan): Promise<Followers> {
  const { place, instances, processes, isShared = false, documentBytes = 2000 } = plan;
  const writer = startLineProcess<WriterTold>(
    "node-24",
    new URL("followed_writer_child.ts", import.meta.url),
    { place, documentBytes } satisfies WriterGiven,
  );
  await writer.next();
  const followers = processes.map((runtime, index) => {
    const share = Math.floor((instances + index) / processes.length);
    const given: FollowerGiven = { place, instances: share, isShared };
    const script = new URL("follower_child.ts", import.meta.url);
    return startLineProcess<FollowerTold>(runtime, script, given);
  });
  const ready = await Promise.all(followers.map((each) => hear(each, "ready")));
  let count = 0;
  const toAll = (command: FollowerCommand) => followers.forEach((each) => each.send(command));
  return {
    pids: followers.map(({ pid }) => pid),
    resolutionMs: Math.max(...ready.map(({ resolutionMs }) => resolutionMs)),
    open: async (timing) => {
      toAll({ kind: "open", timing });
      const opened = await Promise.all(followers.map((each) => hear(each, "opened")));
      for (const { counts } of opened) for (const each of counts) assert.equal(each, count);
    },
    change: async () => {
      count++;
      writer.send({});
      const [written, ...seen] = await Promise.all([
        writer.next(),
        ...followers.map((each) => hear(each, "seen", seenMsMax)),
      ]);
      assert.equal(written.count, count);
      for (const told of seen) assert.equal(told.count, count, "a change was missed");
      const seenAt = seen.flatMap(({ at }) => at);
      assert.equal(seenAt.length, instances, "somebody missed a change");
      return { ...written, seenAt };
    },
    close: async () => {
      toAll({ kind: "close" });
      const closed = await Promise.all(followers.map((each) => hear(each, "closed")));
      const said = new Map<string, number>();
      for (const message of closed.flatMap((told) => told.said)) {
        said.set(message, (said.get(message) ?? 0) + 1);
      }
      const errors = closed.map((told) => Math.abs(told.clockErrorMs));
      return { said, clockErrorMs: Math.max(...errors) };
    },
    end: async () => {
      await Promise.all([writer, ...followers].map((each) => each.end()));
    },
    kill: () => [writer, ...followers].forEach((each) => each.kill()),
  };
}

async function hear<Kind extends FollowerTold["kind"]>(
  follower: LineProcess<FollowerTold>,
  kind: Kind,
  waitMsMax?: number,
): Promise<Extract<FollowerTold, { kind: Kind }>> {
  const told = await follower.next(waitMsMax);
  if (told.kind === "fault") throw new Error(`On ${follower.runtime} ${told.message}`);
  assert.equal(told.kind, kind);
  return told as Extract<FollowerTold, { kind: Kind }>;
}
