// runs on: all
import assert from "node:assert/strict";
import { errnoOf, ioError } from "../adapters/io_error.ts";
import { hasErrno } from "../src/core/error.ts";
import { describe, test } from "./support/kit.ts";

describe("errors of a host", () => {
  test("the errno is found in whatever form a runtime gives it", () => {
    const named = (name: string, message: string, more: object = {}): Error => {
      return Object.assign(new Error(message), { name, ...more });
    };
    const cases: readonly (readonly [unknown, string])[] = [
      [named("Error", "ENOSPC: no space left on device, write", { code: "ENOSPC" }), "ENOSPC"],
      [
        named("Error", "Unknown system error -122", {
          code: "Unknown system error -122",
          errno: -122,
        }),
        "EDQUOT",
      ],
      [named("Error", "Disk quota exceeded (os error 122): write '/x'"), "EDQUOT"],
      [named("NotFound", 'No path was found. about ["/x"]'), "ENOENT"],
      [
        named("NotCapable", 'Requires read access to "/x", run again with the --allow-read flag'),
        "EACCES",
      ],
      [named("Error", "restricted", { code: "ERR_ACCESS_DENIED" }), "EACCES"],
      [
        named("TypeError", "must be without null bytes", { code: "ERR_INVALID_ARG_VALUE" }),
        "EINVAL",
      ],
      [new Error("something else"), "EUNKNOWN"],
      ["a string", "EUNKNOWN"],
      [undefined, "EUNKNOWN"],
    ];
    for (const [cause, errno] of cases) assert.equal(errnoOf(cause), errno, String(cause));
  });

  test("the message says what was attempted, what was found and what to do", () => {
    const cause = Object.assign(new Error("EXDEV"), { code: "EXDEV" });
    const error = ioError("rename", "/b/new", cause, "/a/old");
    assert.equal(
      error.message,
      "Cannot rename /a/old to /b/new: the two names are on different filesystems (EXDEV); keep both on one filesystem",
    );
    assert.deepEqual({ ...error.details }, { operation: "rename", path: "/b/new", errno: "EXDEV" });
    assert.equal(error.cause, cause);
    assert.ok(hasErrno(error, "EXDEV"));
  });

  test("a full disk and an exhausted watch limit are told apart", () => {
    assert.match(ioError("write", "/x", "ENOSPC").message, /disk is full/);
    assert.match(ioError("watch", "/x", "ENOSPC").message, /max_user_watches/);
    assert.match(ioError("watch", "/x", "EMFILE").message, /max_user_instances/);
  });

  test("an errno without a wording of its own is named all the same", () => {
    assert.equal(
      ioError("makeDirectory", "/x", "ENODEV").message,
      "Cannot make the directory /x: the system refused (ENODEV); see the cause of this error",
    );
  });
});
