import { test } from "../kit.ts";

test("has a cleanup that never settles", { timeoutMs: 100 }, (context) => {
  context.after(() => new Promise(() => {}));
});
