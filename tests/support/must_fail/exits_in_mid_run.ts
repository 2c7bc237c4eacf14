import process from "node:process";
import { test } from "../kit.ts";

test("passes before", () => {});
test("exits with status 0", () => process.exit(0));
test("never runs", () => {});
