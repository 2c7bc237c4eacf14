import { test } from "../kit.ts";

test("leaves a rejection unhandled", () => {
  Promise.reject(new Error("from a promise nobody awaits"));
});
