import { test } from "../kit.ts";

test("never gives the thread back", { timeoutMs: 100 }, () => {
  for (;;);
});
