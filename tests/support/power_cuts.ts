/** Every state that a power cut can leave on the disk in memory. */
import { memoryDisk } from "../../adapters/memory.ts";
import type { MemoryDisk, MemoryHost, PowerCut } from "../../adapters/memory.ts";

/** What is done on the disk before the power is cut. */
export type Act = (host: MemoryHost, disk: MemoryDisk) => Promise<void> | void;

/**
 * Everything that a power cut can leave after some acts, tried out for every way that chance can fall.
 *
 * The directories `/d` and `/e` are there at first. Each outcome reads `path=content path=content`; a zero byte shows as `_`.
 */
export async function leftBy(order: PowerCut["order"], act: Act): Promise<string[]> {
  const left = new Set<string>();
  let script: number[] | undefined = [];
  while (script !== undefined) {
    const disk = memoryDisk({ settle: "microtasks" });
    disk.outside.makeDirectory("/d");
    disk.outside.makeDirectory("/e");
    disk.outside.sync();
    await act(disk.process(), disk);
    const bounds: number[] = [];
    const chosen: readonly number[] = script;
    disk.powerCut({ order, choose: (bound) => chosen[bounds.push(bound) - 1] ?? 0 });
    left.add(shown(disk));
    script = following(chosen, bounds);
  }
  return [...left].sort();
}

/** The next of all scripts, the last choice changing fastest; undefined after the last. */
function following(script: readonly number[], bounds: readonly number[]): number[] | undefined {
  const next = bounds.map((_, index) => script[index] ?? 0);
  while (next.length > 0 && next.at(-1)! + 1 === bounds[next.length - 1]) next.pop();
  if (next.length === 0) return undefined;
  next.push(next.pop()! + 1);
  return next;
}

function shown({ outside }: MemoryDisk): string {
  const show = (path: string) => `${path}=${outside.readFile(path).replaceAll("\0", "_")}`;
  return outside.list().map(show).join(" ");
}
