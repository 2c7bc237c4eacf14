import { describe, test } from "../kit.ts";

test("passes before the describe body throws", () => {});
describe("suite", () => {
  test("passes inside it", () => {});
  throw new Error("from the describe body");
});
