import {
  listenMsMax,
  maxWaitMsDefault,
  notificationLagMs,
  pollMsDefault,
  retryMs,
} from "../../core/limits.ts";
import { settle } from "../../host/settle.ts";
import type { SourceContext, SourceWatch, SourceWatchOptions } from "../../source/source.ts";
import type { PostgresLink } from "./link.ts";

/** What a watch is told of what looks find. */
export interface Sightings {
  /** When somebody else's change was found last, by the clock of the host; undefined while none was. */
  readonly foundAt: () => number | undefined;
  /** Whether the last look could not be taken. */
  readonly isBlind: () => boolean;
}

/** What the listening connection holds on to: it may do so for longer than there is a watch. */
interface Ear {
  heard?: (payload: string) => void;
  listens?: () => void;
}

/**
 * Watches one row: listens, then reads; reads again whenever the client listens anew; and polls behind it, since a
 * notification is never repeated, and some poolers swallow them all.
 */
export async function watchRow(
  link: PostgresLink,
  channel: string,
  key: string,
  context: SourceContext,
  { timing, look }: SourceWatchOptions,
  sightings: Sightings,
): Promise<SourceWatch> {
  const { host, keepAlive, warn } = context;
  const closing = new AbortController();
  const { signal } = closing;
  const { maxWaitMs = maxWaitMsDefault, pollMs = pollMsDefault } = timing;
  const settling = settle(host, {
    ...timing,
    keepAlive,
    look: async () => {
      await look();
      if (sightings.isBlind()) void lookSoon();
    },
  });
  let isListening = false;
  let isHeard = false;
  let heardAt = -Infinity;

  const ear: Ear = {
    heard: (payload) => {
      if (!concerns(payload, key)) return;
      heardAt = host.monotonic();
      isHeard = true;
      settling.hint();
    },
    listens: () => {
      isListening = true;
      isHeard = true;
      heardAt = host.monotonic();
      // What was written while nobody listened is told by nobody.
      settling.hint();
    },
  };

  const listening = Promise.resolve(
    link.sql.listen(channel, (payload) => ear.heard?.(payload), () => ear.listens?.()),
  );
  listening.catch(() => {
    // The client goes on trying, and tells when it listens. Until then there is the poll.
  });

  /** What failed is tried again, however slow the poll: what the hint was about may be told by nobody any more. */
  async function lookSoon(): Promise<void> {
    if (await host.sleep(retryMs, { signal, keepAlive: false })) settling.nudge();
  }

  /** A change that nobody told, before it was found or soon after: notifications do not come through. */
  async function doubt(foundAt: number): Promise<void> {
    const isOpen = await host.sleep(notificationLagMs, { signal, keepAlive: false });
    if (!isOpen || heardAt >= foundAt - maxWaitMs) return;
    isHeard = false;
    warn(
      `Found a change of ${link.name} that no notification told; polling it instead. ` +
        "A pooler that swallows notifications does this: give a client that connects to the server itself. " +
        "So does a client whose connection was lost as it began to listen, until it is lost again",
    );
  }

  async function poll(): Promise<void> {
    let seenAt = sightings.foundAt();
    while (await host.sleep(pollMs, { signal, keepAlive })) {
      const foundAt = sightings.foundAt();
      if (foundAt !== undefined && foundAt !== seenAt && isListening) void doubt(foundAt);
      seenAt = foundAt;
      settling.nudge();
    }
  }

  settling.hint();
  const polling = poll();
  // A server that is there answers at once; one that is not is not waited for.
  await Promise.race([listening.catch(() => {}), host.sleep(0, { keepAlive: false })]);
  return {
    get mode() {
      return isListening && isHeard ? "events" : "polling";
    },
    close: async () => {
      closing.abort();
      // After an outage the client has forgotten whom to stop calling: it must find nobody.
      delete ear.heard;
      delete ear.listens;
      const unlistened = listening.then((listener) => listener.unlisten()).catch(() => {});
      await settling.close();
      await polling;
      // A client that is ended while it connects to listen forgets the connection, which then keeps the process alive.
      const waiting = new AbortController();
      const late = host.sleep(listenMsMax, { signal: waiting.signal, keepAlive: false });
      await Promise.race([unlistened, late]);
      waiting.abort();
    },
  };
}

/** Whether a notification may be about a document. */
function concerns(payload: string, key: string): boolean {
  try {
    const told = JSON.parse(payload) as { key?: unknown } | null;
    return told?.key === undefined || told.key === key;
  } catch {
    return true;
  }
}
