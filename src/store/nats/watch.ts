import { natsEchoMs, pollMsDefault } from "../../core/limits.ts";
import { settle } from "../../host/settle.ts";
import type { SourceContext, SourceWatch, SourceWatchOptions } from "../../source/source.ts";
import type { NatsBucket } from "./bucket.ts";
import { isEnding, natsError } from "./error.ts";
import type { NatsLink } from "./link.ts";

/** What is watched, and where to see how far the store has come. */
export interface NatsWatched extends Pick<SourceContext, "host" | "keepAlive" | "warn"> {
  readonly bucket: NatsBucket;
  readonly link: NatsLink;
  /** The newest revision that was seen. */
  readonly revision: () => number;
}

/**
 * Watches one key. What is put there passes by as a hint, and a look reads on from the revision seen last: no consumer that
 * the server could lose, and a bucket that is deleted and made anew is watched all along. A poll stands behind.
 */
export function watchNats(watched: NatsWatched, { timing, look }: SourceWatchOptions): SourceWatch {
  const { host, keepAlive, warn, bucket, link } = watched;
  const { connection, domain } = bucket.place;
  const closing = new AbortController();
  const { signal } = closing;
  let isHinted = false;
  // What passes by in another domain is not heard here.
  let isDeaf = domain !== undefined && domain !== connection.info?.domain;
  const settling = settle(host, {
    ...timing,
    keepAlive,
    look: async () => {
      const wasHinted = isHinted;
      isHinted = false;
      const before = watched.revision();
      await look();
      // What passes by is not stored yet.
      if (wasHinted && watched.revision() === before) void lookLater();
    },
  });

  async function lookLater(): Promise<void> {
    if (await host.sleep(natsEchoMs, { signal, keepAlive })) settling.nudge();
  }

  async function poll(): Promise<void> {
    const pollMs = timing.pollMs ?? pollMsDefault;
    while (await host.sleep(pollMs, { signal, keepAlive })) settling.nudge();
  }

  function deafen(error: unknown): void {
    isDeaf = true;
    if (signal.aborted || isEnding(connection)) return;
    const { message } = natsError(error, "watch", bucket.place);
    warn(`${message}; polling instead`);
  }

  const stop = listen(bucket, {
    hint: () => {
      isHinted = true;
      settling.hint();
    },
    failed: deafen,
  });
  link.listen(settling.hint);
  // Whatever was written since the load is seen too.
  settling.hint();
  const polling = poll();
  return {
    get mode() {
      return isDeaf || !link.isConnected ? "polling" : "events";
    },
    close: async () => {
      closing.abort();
      link.forget(settling.hint);
      stop();
      await settling.close();
      await polling;
    },
  };
}

/** @returns what ends it */
function listen(
  { place: { connection }, subject }: NatsBucket,
  { hint, failed }: { readonly hint: () => void; readonly failed: (error: unknown) => void },
): () => void {
  try {
    const subscription = connection.subscribe(subject, {
      callback: (error) => error ? failed(error) : hint(),
    });
    return () => {
      if (!connection.isClosed()) subscription.unsubscribe();
    };
  } catch (error) {
    failed(error);
    return () => {};
  }
}
