/** Runs green, with one skip: in CI that is a failure. */
import { test } from "../kit.ts";

test("passes", () => {});
test("cannot run", { skip: "the tool is missing" }, () => {});
