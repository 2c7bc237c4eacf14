/** The steps of all programs. */
import { collect, floor, gap, mark } from "./collection.ts";
import {
  acknowledge,
  claim,
  link,
  list,
  makeImage,
  makePub,
  publish,
  removeOwn,
  sweep,
  tidy,
} from "./commit.ts";
import { type Context, makeRecord, type Next } from "./context.ts";
import { adopt, confirm, finish, relist, remake, see, usePub } from "./recovery.ts";

/** Steps by name. */
export const steps: Readonly<globalThis.Record<string, (context: Context) => Next>> = {
  list,
  claim,
  make: (context) => first(makeRecord(context, false), makePub(context), makeImage(context)),
  record: (context) => first(makeRecord(context, false)),
  recordAndPub: (context) => first(makeRecord(context, false), makePub(context)),
  pubAndImage: (context) => first(makePub(context), makeImage(context)),
  image: (context) => first(makeImage(context)),
  link,
  floor,
  gap,
  sweep,
  publish,
  acknowledge,
  tidy,
  mark,
  collect,
  remake,
  usePub,
  relist,
  adopt,
  confirm,
  finish,
  removeOwn,
  see,
  apply: acknowledge,
  end: () => "end",
};

function first(..._done: readonly void[]): Next {
  return "next";
}
