import type { Json } from "../core/document.ts";
import type { Path } from "../core/error.ts";
import type { Shape } from "../core/shape.ts";
import { type ArrayRule, mergeLayers, valuesAt } from "../core/layer.ts";
import { hashOf } from "../host/hash.ts";
import type { Host } from "../host/host.ts";
import type { Given, Loaded, LoadedSource, Place } from "./source.ts";

/** A layer with what it holds. */
export interface Layer {
  readonly name: string;
  readonly loaded: Loaded;
  /** What of its document counts; all of it when left out. */
  readonly part?: (document: Json) => Json;
}

/**
 * Puts what several sources hold together as if it were from one.
 *
 * @param head the layer whose document stands for the document of the whole; the merged one does where there is none
 * @param rule how arrays merge
 */
export function composeLayers(
  host: Host,
  layers: readonly Layer[],
  head: number | undefined,
  rule: ArrayRule | undefined,
): Loaded {
  const documents = layers.map((layer) => partOf(layer, layer.loaded.document));
  const given = (path: Path) => givenAt(layers, documents, path, rule);
  const fault = layers.find(({ loaded }) => loaded.fault !== undefined)?.loaded.fault;
  const own = head === undefined ? undefined : layers[head]!.loaded;
  const hashes = layers.map(({ loaded }) => loaded.hash).join("\n");
  const isEmpty = layers.every(({ loaded }) => loaded.hash === "");
  return {
    document: own === undefined ? mergeLayers(documents, rule) : own.document,
    ...(fault === undefined ? {} : { fault }),
    hash: isEmpty ? "" : hashOf(host, new TextEncoder().encode(hashes)),
    generation: own?.generation ?? 0,
    ...(own?.record === undefined ? {} : { record: own.record }),
    ...(own?.more === undefined ? {} : { more: own.more }),
    locate: (paths) => paths.map((path) => placeOf(given(path)) ?? { source: layers.at(-1)!.name }),
    warnings: layers.flatMap(({ loaded }) => loaded.warnings),
    resolvedPaths: layers.flatMap(({ loaded }) => loaded.resolvedPaths),
    layers: {
      held: layers.map(({ loaded }) => loaded),
      sources: layers.map(stateOf),
      head: own,
      compose: head === undefined
        ? (document) => document
        : composing(documents, head, layers[head]!, rule),
      given,
    },
  };
}

function stateOf({ name, loaded: { generation, hash } }: Layer): LoadedSource {
  return generation === 0 ? { name, hash } : { name, generation, hash };
}

/** Merges the layers around another document of the head. */
function composing(
  documents: readonly (Json | undefined)[],
  head: number,
  layer: Layer,
  rule: ArrayRule | undefined,
): (document: Json | undefined) => Json | undefined {
  return (document) => mergeLayers(documents.with(head, partOf(layer, document)), rule);
}

function partOf({ part }: Layer, document: Json | undefined): Json | undefined {
  return document === undefined || part === undefined ? document : part(document);
}

/** How the schema says that arrays merge. */
export function arrayRuleOf(root: Shape | undefined): ArrayRule {
  return (path) => {
    let place = root;
    for (const step of path) place = place?.child(step);
    return place?.arrays;
  };
}

function givenAt(
  layers: readonly Layer[],
  documents: readonly (Json | undefined)[],
  path: Path,
  rule: ArrayRule | undefined,
): Given[] {
  const values = valuesAt(documents, path, rule);
  return values.flatMap(({ layer, path: own, value }) => {
    const { loaded } = layers[layer]!;
    const [place] = loaded.locate([own]);
    // A layer may be made of layers itself.
    return (loaded.layers?.given ?? loaded.given)?.(own) ?? [{ value, place: place! }];
  });
}

function placeOf([winner]: readonly Given[]): Place | undefined {
  return winner?.place;
}
