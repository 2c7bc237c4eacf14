import { test } from "../kit.ts";

test("has a cleanup that throws", (context) => {
  context.after(async () => {
    await Promise.resolve();
    throw new Error("from the cleanup");
  });
});
