import { setImmediate } from "node:timers";

/** A clock that moves only when it is told to. */
export interface VirtualClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since the clock was made, whatever jumps it took. */
  monotonic(): number;
  /** Makes what the clock shows jump, and nothing else. */
  jump(ms: number): void;
  /**
   * Has something run once the clock gets there.
   *
   * @param delayMs how far ahead, in milliseconds; 0 runs it when the clock is next advanced, even by 0
   * @returns calls it off
   */
  schedule(delayMs: number, run: () => void): () => void;
  /** Moves the clock, running what falls due in order of time. Resolves when all that has settled. */
  advance(ms: number): Promise<void>;
}

interface Appointment {
  readonly dueMs: number;
  readonly run: () => void;
}

/**
 * Makes a clock that stands still.
 *
 * @param startMs what it shows at first, in milliseconds since 1970
 */
export function virtualClock(startMs: number): VirtualClock {
  // In the order they were made, which is the order in which equal times run.
  const appointments = new Set<Appointment>();
  let nowMs = 0;
  let skewMs = startMs;
  let advanced: Promise<void> = Promise.resolve();

  const advanceTo = async (targetMs: number): Promise<void> => {
    await settle();
    for (let next = earliest(appointments); next !== undefined; next = earliest(appointments)) {
      if (next.dueMs > targetMs) break;
      appointments.delete(next);
      nowMs = Math.max(nowMs, next.dueMs);
      next.run();
      await settle();
    }
    nowMs = targetMs;
  };

  return {
    now: () => skewMs + nowMs,
    monotonic: () => nowMs,
    jump: (ms) => {
      skewMs += ms;
    },
    schedule: (delayMs, run) => {
      const appointment = { dueMs: nowMs + delayMs, run };
      appointments.add(appointment);
      return () => void appointments.delete(appointment);
    },
    advance: (ms) => {
      advanced = advanced.then(() => advanceTo(nowMs + ms));
      return advanced;
    },
  };
}

/**
 * Waits on a virtual clock.
 *
 * @param ms how long, in milliseconds
 * @param signal ends the wait early
 * @returns true when the clock has got there, false as soon as the signal aborts
 */
export function sleepOnClock(
  clock: VirtualClock,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const abort = (): void => {
      callOff();
      signal?.removeEventListener("abort", abort);
      resolve(false);
    };
    const callOff = clock.schedule(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve(true);
    });
    signal?.addEventListener("abort", abort);
  });
}

function earliest(appointments: ReadonlySet<Appointment>): Appointment | undefined {
  let found: Appointment | undefined;
  for (const appointment of appointments) {
    if (found === undefined || appointment.dueMs < found.dueMs) found = appointment;
  }
  return found;
}

/** Lets promise jobs run out. Streams and the like pass through turns of their own, hence more than one. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
