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
 * @param settle resolves when what was set off has come to rest
 */
export function virtualClock(startMs: number, settle: () => Promise<void>): VirtualClock {
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

/** The sleeps of one process. */
export interface Sleeps {
  /**
   * Waits.
   *
   * @param ms how long, in milliseconds
   * @param signal ends the wait early
   * @returns true when the clock has got there, false as soon as the signal aborts
   */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<boolean>;
  /** Lets none of them, and no later one, ever end. */
  end(): void;
}

/**
 * Makes the sleeps of a process.
 *
 * @param stir told whenever one begins or ends
 */
export function sleepsOn(clock: VirtualClock, stir: () => void): Sleeps {
  const sleeping = new Set<() => void>();
  let ended = false;
  return {
    sleep: (ms, signal) => {
      return new Promise((resolve) => {
        if (ended) return;
        stir();
        if (signal?.aborted) return resolve(false);
        const forget = (): void => {
          callOff();
          sleeping.delete(forget);
          signal?.removeEventListener("abort", abort);
        };
        const wake = (slept: boolean): void => {
          stir();
          forget();
          resolve(slept);
        };
        const abort = (): void => wake(false);
        const callOff = clock.schedule(ms, () => wake(true));
        sleeping.add(forget);
        signal?.addEventListener("abort", abort);
      });
    },
    end: () => {
      ended = true;
      for (const forget of sleeping) forget();
    },
  };
}

function earliest(appointments: ReadonlySet<Appointment>): Appointment | undefined {
  let found: Appointment | undefined;
  for (const appointment of appointments) {
    if (found === undefined || appointment.dueMs < found.dueMs) found = appointment;
  }
  return found;
}
