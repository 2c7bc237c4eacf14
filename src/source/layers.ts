import { isPlainObject, type Json, valueAt } from "../core/document.ts";
import { type HoldfastError, holdfastError, isHoldfastError, type Path } from "../core/error.ts";
import { type ArrayRule, isReset, type LayerValue, mergeLayers, valuesAt } from "../core/layer.ts";
import { agreeingLooksMax, looksMax } from "../core/limits.ts";
import type { Shape } from "../core/shape.ts";
import { hashOf } from "../host/hash.ts";
import type { Given, LayerPart, Loaded, OpenSource, Place, SourceContext } from "./source.ts";

/** A layer with what it holds. */
export interface Layer {
  readonly name: string;
  readonly loaded: Loaded;
  /** What of its document counts; all of it when left out. */
  readonly part?: (document: Json) => Json;
}

/**
 * Puts what several sources hold together as if it were from one. Layers that are made of layers are taken apart, so that
 * each counts for itself.
 *
 * @param head the layer whose document stands for the document of the whole; the merged one does where there is none
 */
export function composeLayers(
  context: SourceContext,
  layers: readonly Layer[],
  head: number | undefined,
): Loaded {
  const { host, shape, upgrade = (document: Json) => document } = context;
  const rule = arrayRuleOf(shape);
  const parts = layers.map(({ loaded }, index) => {
    return loaded.layers?.parts ?? [partOf(layers[index]!, upgrade)];
  });
  const own = head === undefined ? undefined : layers[head]!.loaded;
  const writtenPart = own?.layers === undefined ? parts[head ?? -1]?.[0] : own.layers.written;
  const writtenAt = writtenPart === undefined ? -1 : parts.flat().indexOf(writtenPart);
  const flat = fitting(parts.flat());
  const written = flat[writtenAt];
  const documents = flat.map(({ document }) => document);
  const given = (path: Path) => givenBy(flat, valuesAt(documents, path, rule));
  const fault = flat.find((layer) => layer.fault !== undefined)?.fault;
  const hashes = layers.map(({ loaded }) => loaded.hash).join("\n");
  const isEmpty = layers.every(({ loaded }) => loaded.hash === "");
  return {
    document: own === undefined ? mergeLayers(documents, rule) : own.document,
    ...(fault === undefined ? {} : { fault }),
    hash: isEmpty ? "" : hashOf(host, new TextEncoder().encode(hashes)),
    generation: own?.generation ?? 0,
    ...(own?.record === undefined ? {} : { record: own.record }),
    ...(own?.more === undefined ? {} : { more: own.more }),
    given,
    locate: (paths) => paths.map((path) => placeOf(path, given, written)),
    warnings: layers.flatMap(({ loaded }) => loaded.warnings),
    resolvedPaths: layers.flatMap(({ loaded }) => loaded.resolvedPaths),
    layers: {
      held: layers.map(({ loaded }) => loaded),
      parts: flat,
      written,
      compose: (document) => {
        if (written === undefined) return document;
        const read = { ...written, document: written.read(document), fault: undefined };
        const all = fitting(flat.with(writtenAt, read));
        const fault = all.find((layer) => layer.fault !== undefined)?.fault;
        if (fault !== undefined) throw fault;
        return mergeLayers(all.map(({ document }) => document), rule);
      },
      around: own?.layers?.around === undefined ? undefined : async (document) => {
        const loaded = { ...own, layers: await own.layers!.around!(document) };
        return composeLayers(context, layers.with(head!, { ...layers[head!]!, loaded }), head)
          .layers!;
      },
      carry: own?.layers?.carry,
      hiding: (path) => {
        const above = written === undefined ? [] : documents.slice(writtenAt + 1);
        // To follow a path through long arrays takes time, and most are told by their first step.
        if (!above.some((document) => mayReach(document, path))) return undefined;
        const winner = valuesAt(documents, path, rule)[0];
        if (winner === undefined || winner.layer <= writtenAt) return undefined;
        return givenBy(flat, [winner])[0]?.place;
      },
    },
  };
}

/** What the source that is written holds. */
export function writtenIn(loaded: Loaded): Loaded {
  return loaded.layers?.written?.loaded ?? loaded;
}

/**
 * Loads the newest that a layer holds which is not written. What led there, as a store tells it step by step to those who
 * follow its generations, does not matter.
 */
export async function loadNewest(source: OpenSource): Promise<Loaded> {
  let loaded = await source.load();
  for (let look = 1; loaded.more === true && look < looksMax; look++) {
    loaded = await source.load(loaded.generation);
  }
  return loaded;
}

/**
 * Loads until two looks agree, where something changed: what was read one after the other may never have been there
 * together. Where it never rests, the last look counts; there is another after the next change.
 *
 * @param load is told what the head has been considered up to
 * @param considered where that begins
 * @param known of the last time; without one, a single look counts
 */
export async function loadAgreeing(
  load: (considered: number | undefined) => Promise<Loaded>,
  considered: number | undefined,
  known: Loaded | undefined,
): Promise<Loaded> {
  let [before, loaded] = [known, await load(considered)];
  // At first a store may give what is not there any more, once; watching begins with a look.
  if (known === undefined) return loaded;
  for (let look = 1; look < agreeingLooksMax && !isSame(before, loaded); look++) {
    // Asked once more, a store goes on to what is older or newer: the very same is wanted.
    const again = loaded.more === true ? considered : loaded.generation;
    [before, loaded] = [loaded, await load(again)];
  }
  return loaded;
}

function isSame(one: Loaded | undefined, other: Loaded): boolean {
  return one?.hash === other.hash && one.generation === other.generation;
}

function mayReach(document: Json | undefined, path: Path): boolean {
  return document !== undefined &&
    (isReset(document) || valueAt(document, path.slice(0, 1)) !== undefined);
}

function partOf(layer: Layer, upgrade: NonNullable<SourceContext["upgrade"]>): LayerPart {
  const { name, loaded, part = (document) => document } = layer;
  const read = (document: Json | undefined) => {
    return document === undefined ? undefined : part(upgrade(document, name));
  };
  try {
    const { document, fault } = loaded;
    const isUpgraded = document !== undefined && upgrade(document, name) !== document;
    return { name, loaded, read, document: read(document), isUpgraded, fault };
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    return { name, loaded, read, document: undefined, isUpgraded: false, fault: error };
  }
}

/** What is no object would silently take the place of all that is below it, or be replaced by what is above. */
function fitting(parts: readonly LayerPart[]): readonly LayerPart[] {
  if (!parts.some(({ document }) => isPlainObject(document))) return parts;
  return parts.map((part) => {
    if (part.document === undefined || isPlainObject(part.document)) return part;
    const fault = unfit(part.name, noObject, [], part.loaded.locate([[]])[0]);
    return { ...part, document: undefined, fault };
  });
}

/** What is wrong with a document that is merged with others and is no object. */
export const noObject = "no object, which alone can be merged with others; make it one";

/** The error for a document that does not go together with others. */
export function unfit(source: string, found: string, path: Path, place?: Place): HoldfastError {
  const message = `Cannot read ${source}: found ${found}`;
  return holdfastError("INVALID", message, {
    problems: [{ path, message, severity: "error", source, ...place }],
  });
}

/** How the schema says that arrays merge. */
function arrayRuleOf(root: Shape | undefined): ArrayRule {
  return (path) => {
    let place = root;
    for (const step of path) place = place?.child(step);
    return place?.arrays;
  };
}

function givenBy(parts: readonly LayerPart[], values: readonly LayerValue[]): Given[] {
  return values.flatMap(({ layer, path, value }) => {
    const { name, loaded, isUpgraded } = parts[layer]!;
    if (isUpgraded) return [{ value, place: { source: name } }];
    return loaded.given?.(path) ?? [{ value, place: loaded.locate([path])[0]! }];
  });
}

/** Where what stands at a path was written, or, for what is missing, that which it is missing from. */
function placeOf(
  path: Path,
  given: (path: Path) => readonly Given[],
  written: LayerPart | undefined,
): Place {
  for (let depth = path.length; depth > 0; depth--) {
    const [winner] = given(path.slice(0, depth));
    if (winner !== undefined) return winner.place;
  }
  const isThere = written?.document !== undefined && !written.isUpgraded;
  if (isThere) return written.loaded.locate([[]])[0]!;
  return given([])[0]?.place ?? { source: written?.name ?? "layers" };
}
