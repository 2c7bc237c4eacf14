import { test, type TestContext } from "../kit.ts";

let ended: TestContext | undefined;
test("ends", (context) => {
  ended = context;
});
test("adds a cleanup to a test that ended", () => ended?.after(() => {}));
