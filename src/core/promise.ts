/** Tells a promise, of whatever make, from other values. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function";
}

/** Sees to it that a promise which nobody waits for cannot end the process by rejecting. */
export function ignoreRejection(value: unknown): void {
  if (isPromise(value)) value.then(undefined, () => {});
}

/**
 * Waits until every one of some promises has settled, so that nothing goes on behind the caller's back.
 *
 * @throws what the first of them that failed was rejected with
 */
export async function together<Results extends readonly unknown[]>(
  promises: { readonly [Index in keyof Results]: Promise<Results[Index]> },
): Promise<Results> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as unknown as Results;
}
