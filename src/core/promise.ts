/** Tells a promise, of whatever make, from other values. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}

/** Sees to it that a promise which nobody waits for cannot end the process by rejecting. */
export function ignoreRejection(value: unknown): void {
  if (isPromise(value)) value.then(undefined, () => {});
}
