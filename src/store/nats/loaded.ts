import type { Json } from "../../core/document.ts";
import { holdfastError } from "../../core/error.ts";
import { json } from "../../format/json.ts";
import { hashOf } from "../../host/hash.ts";
import type { Host } from "../../host/host.ts";
import { type Content, contentOf, unlocated } from "../../source/content.ts";
import type { Loaded } from "../../source/source.ts";
import { type GenerationRecord, recordVersion } from "../record.ts";
import type { StoredGeneration } from "../store.ts";
import type { NatsSight } from "./view.ts";

/** What a sight means for whoever loads. */
export function loadedFrom(
  host: Host,
  { message, newest, highest, warnings }: NatsSight,
  name: string,
): Loaded {
  const common = { warnings, resolvedPaths: [] };
  if (message.kind === "record") {
    const { record } = message;
    const { generation, hash, origin, calls, at } = record;
    const content = hash === "" ? nothing(name) : contentOf(json, record.text, name);
    return { ...common, ...content, generation, hash, record: { origin, calls, at } };
  }
  // Not the greatest number: that may be one that was left out, and no generation that somebody stored.
  const generation = newest?.generation ?? highest;
  if (message.kind !== "text") {
    return { ...common, ...nothing(name), generation, hash: "" };
  }
  const hash = hashOf(host, message.text);
  if (message.newer !== undefined) {
    const fault = holdfastError(
      "UNSUPPORTED_VERSION",
      `Cannot read ${name}: found a record of version ${message.newer}, which a newer holdfast wrote; update this one`,
      { found: message.newer, oldest: 1, newest: recordVersion },
    );
    return { ...common, ...nothing(name), generation, hash, fault };
  }
  return { ...common, ...contentOf(json, message.text, name), generation, hash };
}

/** A record as history tells it. */
export function storedFrom(record: GenerationRecord, name: string): StoredGeneration {
  const { generation, parent, parentHash, hash, at, origin, calls, text } = record;
  const document = hash === "" ? undefined : decodeKept(text, name);
  return { generation, parent, parentHash, hash, at, origin, calls, document };
}

/** The document of a text that is kept. */
export function decodeKept(text: Uint8Array, name: string): Json {
  return json.decode(text, `the history of ${name}`).document;
}

function nothing(name: string): Content {
  return { document: undefined, locate: unlocated(name) };
}
