/** What a disk may have kept when the power was cut: one outcome after the other, without chance. */
import type { PowerCut } from "../../adapters/memory.ts";

/** What is cut: made anew for each outcome, since nothing is left of it afterwards. */
export interface CutTrial {
  /** Brings a disk to where the power is cut. */
  readonly powerCut: (cut: PowerCut) => void;
  /** Judges what is left. */
  readonly judge: () => Promise<void>;
}

/**
 * Cuts the power again and again: keeping the least and keeping the most, and from both with every single choice made
 * otherwise; and on a disk with a journal after each of its operations.
 *
 * @returns how often
 */
export async function cutEveryWay(prepare: () => Promise<CutTrial>): Promise<number> {
  let count = 0;
  const attempt = async (
    order: PowerCut["order"],
    deviation: Deviation | undefined,
    keepsMost: boolean,
  ): Promise<number[]> => {
    const trial = await prepare();
    const bounds: number[] = [];
    trial.powerCut({
      order,
      choose: (bound) => {
        bounds.push(bound);
        const usual = keepsMost ? bound - 1 : 0;
        return deviation?.at === bounds.length - 1 ? Math.min(deviation.chosen, bound - 1) : usual;
      },
    });
    count += 1;
    await trial.judge().catch((error: unknown) => {
      const how = deviation === undefined ? "" : `, but ${deviation.chosen} at ${deviation.at}`;
      const what = `the power was cut (${order}), keeping the ${
        keepsMost ? "most" : "least"
      }${how}`;
      throw new Error(`${what}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    });
    return bounds;
  };
  for (const keepsMost of [false, true]) {
    const bounds = await attempt("any", undefined, keepsMost);
    for (const [at, bound] of bounds.entries()) {
      // Where a content may tear in many places, a few of them stand for all.
      const others = bound === 2 ? [keepsMost ? 0 : 1] : [0, 1, 2, bound - 1];
      for (const chosen of new Set(others)) await attempt("any", { at, chosen }, keepsMost);
    }
  }
  const [operations = 1] = await attempt("prefix", undefined, false);
  for (let chosen = 1; chosen < operations; chosen++) {
    await attempt("prefix", { at: 0, chosen }, false);
  }
  return count;
}

interface Deviation {
  readonly at: number;
  readonly chosen: number;
}
