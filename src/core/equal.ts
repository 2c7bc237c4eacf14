import { isPlainObject } from "./document.ts";
import { depthMax } from "./limits.ts";

/**
 * Compares two values as `diff` does, at no other cost than the walk. Dates, sets and maps compare by what they hold, the
 * keys of maps and the members of sets by identity.
 *
 * @returns false for what cannot be compared: instances of other classes, and what is too deep or never ends
 */
export function deepEqual(one: unknown, other: unknown, depth = 0): boolean {
  if (Object.is(one, other) || one === other) return true;
  if (!isObject(one) || !isObject(other) || depth > depthMax) return false;
  const below = (part: unknown, otherPart: unknown) => deepEqual(part, otherPart, depth + 1);
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => below(item, other[index]));
  }
  if (isPlainObject(one)) {
    if (!isPlainObject(other)) return false;
    const keys = Object.keys(one);
    return keys.length === Object.keys(other).length &&
      keys.every((key) => Object.hasOwn(other, key) && below(one[key], other[key]));
  }
  if (one instanceof Date) {
    return other instanceof Date && Object.is(one.getTime(), other.getTime());
  }
  if (one instanceof Set) {
    return other instanceof Set && one.size === other.size &&
      [...one].every((member) => other.has(member));
  }
  if (!(one instanceof Map && other instanceof Map) || one.size !== other.size) return false;
  return [...one].every(([key, value]) => other.has(key) && below(value, other.get(key)));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
