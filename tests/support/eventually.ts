const attemptsMax = 1500;
const stepMs = 10;

/**
 * Waits until a condition holds, however long the machine takes; the bound only ends a test that would never pass.
 *
 * @param what the condition in words, for the error
 * @param elapse lets time pass on the host under test
 */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  elapse: (ms: number) => Promise<void>,
): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    if (await condition()) return;
    await elapse(stepMs);
  }
  throw new Error(`Cannot go on: waited ${attemptsMax * stepMs} ms in vain until ${what}`);
}
