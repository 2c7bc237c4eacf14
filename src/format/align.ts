import { isPlainObject, type Json, type JsonObject } from "../core/document.ts";
import { alignedPairsMax } from "../core/limits.ts";

/** A part of a container as it is to be: one that was there, with the value it gets, or a new one. */
export interface Aligned {
  /** Which of the parts before it is; undefined when it is new. */
  readonly from: number | undefined;
  /** Its key; undefined in an array. */
  readonly key: string | undefined;
  readonly value: Json;
}

/** Whether two documents say the same, whatever the order of their keys. */
export function isEqual(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length &&
      one.every((element, index) => isEqual(element, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key], other[key]));
}

/** Tells an object from every other value of a document. */
export function isObject(value: Json | undefined): value is JsonObject {
  return isPlainObject(value);
}

/** Whether all the parts that were there stay where they are, and no other comes. */
export function isSameParts(aligned: readonly Pick<Aligned, "from">[], count: number): boolean {
  return aligned.length === count && aligned.every(({ from }, index) => from === index);
}

/** What becomes of the members of an object: those kept stay in their order, a new one follows the one before it. */
export function alignMembers(before: readonly string[], after: JsonObject): Aligned[] {
  const known = new Map(before.map((key, index) => [key, index]));
  const added = new Map<string | undefined, Aligned[]>();
  let last: string | undefined;
  for (const key of Object.keys(after)) {
    if (known.has(key)) last = key;
    else {
      const part = { from: undefined, key, value: after[key]! };
      const followers = added.get(last);
      if (followers === undefined) added.set(last, [part]);
      else followers.push(part);
    }
  }
  return [
    ...added.get(undefined) ?? [],
    ...before.flatMap((key, from) => [
      ...Object.hasOwn(after, key) ? [{ from, key, value: after[key]! }] : [],
      ...added.get(key) ?? [],
    ]),
  ];
}

/** What becomes of the elements of an array: as many as possible stay as they are, others change, the rest comes or goes. */
export function alignElements(before: readonly Json[], after: readonly Json[]): Aligned[] {
  let start = 0;
  while (start < before.length && isEqual(before[start], after[start])) start++;
  let tail = 0;
  const tailMax = Math.min(before.length, after.length) - start;
  while (tail < tailMax && isEqual(before.at(-1 - tail), after.at(-1 - tail))) tail++;
  const middle = pairs(
    before.slice(start, before.length - tail),
    after.slice(start, after.length - tail),
  );
  return after.map((value, index) => {
    const fromEnd = after.length - index;
    const from = index < start
      ? index
      : fromEnd <= tail
      ? before.length - fromEnd
      : middle[index - start];
    const isMiddle = index >= start && fromEnd > tail;
    return { from: isMiddle && from !== undefined ? from + start : from, key: undefined, value };
  });
}

/** For each element after, the one before that it comes from: those pairs in order that are the most alike. */
function pairs(before: readonly Json[], after: readonly Json[]): (number | undefined)[] {
  if (before.length * after.length > alignedPairsMax) {
    return after.map((_, index) => index < before.length ? index : undefined);
  }
  const width = after.length + 1;
  const best = new Float64Array((before.length + 1) * width);
  const alike = before.map((one) => after.map((other) => likeness(one, other)));
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      best[row * width + column] = Math.max(
        best[(row + 1) * width + column]!,
        best[row * width + column + 1]!,
        best[(row + 1) * width + column + 1]! + alike[row]![column]!,
      );
    }
  }
  const result: (number | undefined)[] = after.map(() => undefined);
  let row = 0;
  let column = 0;
  while (row < before.length && column < after.length) {
    const here = best[row * width + column]!;
    if (here === best[(row + 1) * width + column + 1]! + alike[row]![column]!) {
      result[column++] = row++;
    } else if (here === best[(row + 1) * width + column]!) row++;
    else column++;
  }
  return result;
}

function likeness(one: Json, other: Json): number {
  if (isEqual(one, other)) return 4;
  if (Array.isArray(one) && Array.isArray(other)) return 2;
  if (!isObject(one) || !isObject(other)) return typeof one === typeof other ? 1.5 : 1;
  const keys = Object.keys(one);
  const equal = keys.filter((key) => Object.hasOwn(other, key) && isEqual(one[key], other[key]));
  return 2 + equal.length / (keys.length + 1);
}
