import { describe, test } from "../kit.ts";

test("passes beside the async describe body", () => {});
describe("suite", async () => {
  await Promise.resolve();
  test("would be lost", () => {});
});
