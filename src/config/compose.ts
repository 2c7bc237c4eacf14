import { type Call, callOf } from "../core/cause.ts";
import type { Change } from "../core/change.ts";
import { diff } from "../core/diff.ts";
import { assertDocument, type Json, valueAt } from "../core/document.ts";
import type { Path } from "../core/error.ts";
import { composeMsMax } from "../core/limits.ts";
import { redactCall } from "../core/redact.ts";
import type { Host } from "../host/host.ts";
import { areApart, type Edit } from "./edit.ts";
import type { Engine } from "./engine.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Prepared } from "./running.ts";

/** A change that somebody waits for. */
export interface Composable {
  readonly edit: Edit;
  readonly actor: string | undefined;
  readonly reason: string | undefined;
}

/** What several changes come to together. */
export interface Composed<Item> {
  /** Those that were accepted, in order. */
  readonly accepted: readonly Item[];
  readonly prepared: Prepared;
  /** What each of the accepted did. */
  readonly calls: readonly Call[];
}

/** What changes are composed with. */
export interface ComposeParts {
  readonly name: string;
  readonly host: Host;
  readonly engine: Engine;
  readonly pipeline: Pipeline;
}

/**
 * Applies changes in order, each checked on top of those before it. Changes that stay out of each other's way are checked
 * together first: if the outcome is good, they are good together.
 *
 * @param refuse told of each that failed, and why
 * @returns undefined when none was accepted; without those for which there was no time
 */
export async function compose<Item extends Composable>(
  { name, host, engine, pipeline }: ComposeParts,
  items: readonly Item[],
  refuse: (item: Item, error: unknown) => void,
): Promise<Composed<Item> | undefined> {
  const base = engine.running.document;

  function edited(document: Json, { edit }: Item, own?: WeakSet<object>): Json {
    return edit.apply(document, engine.running.snapshot.value, own);
  }

  // A record outlives what it tells of: not even the names of keys below a secret belong there.
  function described({ actor, reason }: Item, changes: readonly Change[]): Call {
    return redactCall(callOf(changes, actor, reason), pipeline.annotations);
  }

  async function check(document: Json, checked?: Json): Promise<Prepared> {
    if (document !== checked) assertDocument(document, `write ${name}`);
    const { layers } = engine.running.loaded;
    const candidate = await pipeline.run(document, `the change of ${name}`, { layers });
    return await engine.value.prepare(candidate);
  }

  async function together(): Promise<Composed<Item>> {
    const own = new WeakSet();
    const document = items.reduce((current, item) => edited(current, item, own), base);
    const prepared = await check(document);
    const calls = items.map((item) => {
      return described(item, changesAt(item.edit.path!, base, prepared.document));
    });
    return { accepted: items, prepared, calls };
  }

  if (items.length > 1 && areApart(items.map(({ edit }) => edit))) {
    try {
      return await together();
    } catch {
      // Which of them failed, and why, comes out below.
    }
  }
  let composed: Composed<Item> | undefined;
  const startedMs = host.monotonic();
  for (const item of items) {
    // Nothing else gets its turn meanwhile.
    if (composed !== undefined && host.monotonic() - startedMs > composeMsMax) break;
    try {
      const before = composed?.prepared.document ?? base;
      const prepared = await check(edited(before, item), item.edit.checked);
      const changes = item.edit.alone?.removes === true
        ? [{ path: [], kind: "removed", before } as const]
        : composed === undefined
        ? prepared.changes
        : diff(before, prepared.document);
      composed = {
        accepted: [...composed?.accepted ?? [], item],
        prepared: item.edit.alone?.removes === true ? { ...prepared, changes } : prepared,
        calls: [...composed?.calls ?? [], described(item, changes)],
      };
    } catch (error) {
      refuse(item, error);
    }
  }
  return composed;
}

/** What became of one part of a document. */
function changesAt(path: Path, before: Json, after: Json): Change[] {
  const [old, next] = [valueAt(before, path), valueAt(after, path)];
  if (old === undefined) return [{ path, kind: "added", after: next }];
  if (next === undefined) return [{ path, kind: "removed", before: old }];
  return diff(old, next).map((change) => ({ ...change, path: [...path, ...change.path] }));
}
