import { createServer } from "node:net";

/** Ports of loopback that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const listeners = await Promise.all(
    Array.from({ length: count }, () => {
      const listener = createServer();
      return new Promise<typeof listener>((resolve, reject) => {
        listener.on("error", reject);
        listener.listen(0, "127.0.0.1", () => resolve(listener));
      });
    }),
  );
  const ports = listeners.map((listener) => (listener.address() as { port: number }).port);
  await Promise.all(
    listeners.map((listener) => new Promise((resolve) => listener.close(resolve))),
  );
  return ports;
}
