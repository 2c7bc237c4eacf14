/** A change to a text: what stands from `start` up to `end` gives way to `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Makes edits to a text, whose offsets are those of the text as it was. Of those at one offset, insertions come first and
 * in the order given; removals may overlap each other.
 *
 * @returns undefined when they contradict each other
 */
export function applyEdits(text: string, edits: readonly Edit[]): string | undefined {
  const sorted = edits.toSorted((one, other) => one.start - other.start || order(one, other));
  const parts: string[] = [];
  let at = 0;
  let removes = false;
  for (const edit of sorted) {
    if (edit.start < at) {
      // Two removals that overlap are one.
      if (!removes || edit.text !== "" || edit.end === edit.start) return undefined;
      at = Math.max(at, edit.end);
      continue;
    }
    parts.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
    removes = edit.text === "";
  }
  return parts.join("") + text.slice(at);
}

function order(one: Edit, other: Edit): number {
  return Number(one.end > one.start) - Number(other.end > other.start);
}
