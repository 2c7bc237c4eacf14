import { test } from "../kit.ts";

test("has an error in a timer", async () => {
  setTimeout(() => {
    throw new Error("from a timer");
  }, 5);
  await new Promise((resolve) => setTimeout(resolve, 50));
});
