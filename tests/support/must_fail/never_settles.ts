import { test } from "../kit.ts";

test("never settles", { timeoutMs: 100 }, () => new Promise(() => {}));
