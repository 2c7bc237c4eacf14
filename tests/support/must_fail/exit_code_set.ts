import process from "node:process";
import { test } from "../kit.ts";

test("sets the exit code", () => {
  process.exitCode = 1;
});
