import { test } from "../kit.ts";

test("registers a test while it runs", () => {
  test("would be lost", () => {});
});
