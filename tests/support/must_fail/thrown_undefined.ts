import { test } from "../kit.ts";

test("throws nothing at all", () => {
  throw undefined;
});
