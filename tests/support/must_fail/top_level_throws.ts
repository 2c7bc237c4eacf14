import { test } from "../kit.ts";

test("passes before the module throws", () => {});
throw new Error("from the top level");
