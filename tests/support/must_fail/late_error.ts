import { test } from "../kit.ts";

test("ends before its timer throws", () => {
  setTimeout(() => {
    throw new Error("from a timer, after the test");
  }, 50);
});
test("runs meanwhile", () => new Promise((resolve) => setTimeout(resolve, 150)));
