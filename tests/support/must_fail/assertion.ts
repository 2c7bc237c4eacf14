import assert from "node:assert/strict";
import { test } from "../kit.ts";

test("fails an assertion", () => assert.equal(1, 2));
