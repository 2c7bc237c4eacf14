/** Drives a running process through strace: stops it after each of its calls to the filesystem, or makes one fail. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { basename } from "node:path";
import process from "node:process";

/** Every call by which a process changes files or makes a change durable. */
export const changingCalls: readonly string[] = [
  ...["openat", "write", "pwrite64", "writev", "pwritev", "ftruncate", "fsync", "fdatasync"],
  ...["link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat"],
  ...["chmod", "fchmod", "fchmodat", "mkdir", "mkdirat"],
];

/** A call that the process made. */
export interface FileCall {
  readonly thread: string;
  /** Such as `linkat`. */
  readonly name: string;
  /** As strace prints it. */
  readonly text: string;
}

/** An attached strace. */
export interface Attached {
  /** Lets the process run on by itself; resolves when strace has ended, as it does by itself when the process has. */
  detach(): Promise<void>;
  /** Ends strace whatever it waits for, and lets go of the process that way. */
  kill(): void;
  /** Resolves when strace has ended. */
  readonly ended: Promise<void>;
  /** All that strace printed of calls. */
  calls(): readonly FileCall[];
}

export interface Attachment {
  readonly pid: number;
  readonly calls: readonly string[];
  /** Such as `inject=fsync:error=EIO`. */
  readonly inject?: string;
  /** Only calls that concern these paths. */
  readonly paths?: readonly string[];
  /** Called for each signal that is about to be taken, with the calls of other threads that have not ended. */
  readonly onSignal?: (signal: string, begun: readonly FileCall[]) => void;
  /** Called for each thread that stopped. */
  readonly onStopped?: () => void;
  /** Called for each call that ended, whatever came of it. */
  readonly onCall?: (call: FileCall, begun: readonly FileCall[]) => void;
}

/** After which time without a word from strace a process counts as stopped by a signal that came too late. */
const quietMs = 2000;

/** Attaches to every thread of a process, and waits until that is done. */
export async function attachStrace(attachment: Attachment): Promise<Attached> {
  const { pid, calls, inject, paths = [] } = attachment;
  const given = [
    ...["-f", "-y", "-s", "0", "-p", String(pid), "-e", `trace=${calls.join(",")}`],
    ...inject === undefined ? [] : ["-e", inject],
    ...paths.flatMap((path) => ["-P", path]),
  ];
  const strace = spawn("strace", given, { stdio: ["ignore", "ignore", "pipe"] });
  const seen: FileCall[] = [];
  const attached = follow(strace, attachment, seen);
  const ended = new Promise<void>((resolve) => strace.once("close", () => resolve()));
  await Promise.race([
    attached,
    ended.then(() => {
      throw new Error(`Cannot attach strace to ${pid}: it ended at once; allow ptrace`);
    }),
  ]);
  return {
    detach: async () => {
      strace.kill("SIGINT");
      await ended;
    },
    kill: () => strace.kill("SIGKILL"),
    calls: () => seen,
    ended,
  };
}

function follow(strace: ChildProcess, attachment: Attachment, seen: FileCall[]): Promise<void> {
  const begun = new Map<string, FileCall>();
  return new Promise((resolve) => {
    createInterface({ input: strace.stderr! }).on("line", (line) => {
      if (/^strace: Process \d+ attached/.test(line)) return resolve();
      const [, thread = String(attachment.pid), text = ""] = linePattern.exec(line)!;
      const signal = /^--- (SIG\w+) \{/.exec(text)?.[1];
      if (signal !== undefined) return attachment.onSignal?.(signal, [...begun.values()]);
      if (text === "--- stopped by SIGSTOP ---") return attachment.onStopped?.();
      if (text.startsWith("<... ")) {
        const call = begun.get(thread);
        begun.delete(thread);
        if (call !== undefined) end({ ...call, text: `${call.text} ${text}` });
        return;
      }
      const name = /^(\w+)\(/.exec(text)?.[1];
      if (name === undefined) return;
      // It is printed only when it ended, or when another thread has something to tell before.
      if (text.endsWith("<unfinished ...>")) begun.set(thread, { thread, name, text });
      else end({ thread, name, text });
    });
  });

  function end(call: FileCall): void {
    seen.push(call);
    attachment.onCall?.(call, [...begun.values()]);
  }
}

const linePattern = /^(?:\[pid +(\d+)\] )?(.*)$/;

/**
 * Runs a process from one call to the filesystem to the next. The signal that stops it is sent as a call begins and taken
 * when it ends; before it goes on, the calls that other threads have begun meanwhile have come to their end as well.
 *
 * @param onCall told of each call that ended, in that order; decides
 * @returns also when the process is held, which it stays after strace has let go of it
 */
export async function stepThrough(
  pid: number,
  onCall: (call: FileCall) => "go on" | "kill" | "hold",
): Promise<Attached & { readonly held: Promise<void> }> {
  let stopped = false;
  let holding = false;
  let tellHeld = () => {};
  const held = new Promise<void>((resolve) => tellHeld = resolve);
  let killed = false;
  // A stop that takes effect after the signal that was to end it would last for ever.
  const nudge = setInterval(() => {
    if (killed) sendSignal(pid, "SIGKILL");
    else if (!holding) sendSignal(pid, "SIGCONT");
  }, quietMs).unref();
  const goOn = (begun: readonly FileCall[]) => {
    if (killed) return sendSignal(pid, "SIGKILL");
    if (!stopped || begun.length > 0) return;
    if (holding) return;
    stopped = false;
    sendSignal(pid, "SIGCONT");
  };
  const attached = await attachStrace({
    pid,
    calls: changingCalls,
    inject: `inject=${changingCalls.join(",")}:signal=SIGSTOP`,
    onSignal: (signal, begun) => {
      if (signal !== "SIGSTOP") return;
      stopped = true;
      goOn(begun);
    },
    onStopped: () => {
      if (holding) tellHeld();
    },
    onCall: (call, begun) => {
      nudge.refresh();
      if (!holding && !killed) {
        const decision = onCall(call);
        killed = decision === "kill";
        holding = decision === "hold";
      }
      // Its own stop follows, unless one of another thread's has come already.
      if (stopped) goOn(begun);
    },
  });
  attached.ended.then(() => clearInterval(nudge));
  return { ...attached, held };
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** A call in few words, without what differs from one run to the next: `linkat rec.* g.*`. */
export function describeCall({ name, text }: FileCall, directory: string): string {
  const paths = [...text.matchAll(/["<]([^"<>]*)[">]/g)].map(([, path = ""]) => path)
    .filter((path) => path.startsWith(directory));
  const names = [...new Set(paths.map((path) => path === directory ? "." : basename(path)))];
  return [name, ...names].join(" ").replaceAll(/[0-9a-f]{32}/g, "*").replaceAll(/\.\d+/g, ".*");
}

/** Whether a call changes something: opening a file for reading does not. */
export function isChange({ name, text }: FileCall): boolean {
  return name !== "openat" || text.includes("O_CREAT");
}
