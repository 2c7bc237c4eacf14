import { assertDocument, copyDocument, type Json } from "../core/document.ts";
import { freeze } from "../core/snapshot.ts";
import { hashOf } from "../host/hash.ts";
import { unlocated } from "./content.ts";
import type { Source } from "./source.ts";

/** How overrides are told. */
export interface OverridesOptions {
  /** Where they come from, for messages and explanations; `overrides` when left out. */
  readonly name?: string | undefined;
}

/**
 * Values that the program brings itself, such as those of command line flags: a layer that nobody writes and nothing keeps.
 *
 * @param document what is set; left as it is, and not looked at again
 * @throws `INVALID` when it is no JSON
 *
 * @example
 * ```ts
 * import { layered, memory, openConfig, overrides } from "holdfast";
 *
 * const flags = overrides({ port: 9000 }, { name: "command line" });
 * const config = await openConfig(layered({ layers: [memory({ port: 80 }), flags] }));
 * console.log(config.value); // { port: 9000 }
 * await config.close();
 * ```
 */
export function overrides(document: unknown, options: OverridesOptions = {}): Source {
  const { name = "overrides" } = options;
  assertDocument(document, `use ${name}`);
  const own = freeze(copyDocument(document as Json));
  return {
    kind: "source",
    name,
    open: ({ host }) => {
      const hash = hashOf(host, new TextEncoder().encode(JSON.stringify(own)));
      return Promise.resolve({
        backend: "overrides",
        load: () => {
          return Promise.resolve({
            document: own,
            hash,
            generation: 0,
            locate: unlocated(name),
            warnings: [],
            resolvedPaths: [],
          });
        },
        watch: () => Promise.resolve({ mode: "events" as const, close: () => Promise.resolve() }),
        close: () => Promise.resolve(),
      });
    },
  };
}
