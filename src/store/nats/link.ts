import type { NatsConnection } from "./nats_kv.ts";

/** Follows whether a connection stands. */
export class NatsLink {
  readonly #statuses: AsyncIterable<{ readonly type: string }>;
  readonly #listeners = new Set<() => void>();
  #isConnected = true;

  constructor(connection: NatsConnection) {
    this.#statuses = connection.status();
    void this.#follow();
  }

  /** Whether it stands, as far as was heard. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Calls a listener whenever the connection stands again. */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Leaves a listener alone. */
  forget(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Follows no longer. */
  close(): void {
    // The client's iterator has it; leaving the loop would wait for one more status.
    (this.#statuses as { stop?: () => void }).stop?.();
  }

  async #follow(): Promise<void> {
    try {
      for await (const { type } of this.#statuses) {
        if (type === "disconnect" || type === "close") this.#isConnected = false;
        if (type !== "reconnect") continue;
        this.#isConnected = true;
        for (const listener of this.#listeners) listener();
      }
    } catch {
      this.#isConnected = false;
    }
  }
}
