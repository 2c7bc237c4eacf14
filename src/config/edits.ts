import { copyDocument, type DeepReadonly, type Json, valueAt } from "../core/document.ts";
import type { Path } from "../core/error.ts";
import { jsonPatch, type JsonPatchOperation } from "../core/json_patch.ts";
import { mergePatch, setAt, unsetAt } from "../core/patch.ts";
import { copyPath, describePath } from "../core/pointer.ts";
import { ignoreRejection, isPromise } from "../core/promise.ts";
import { holdsPlaceholder, keepSecrets } from "../core/redact.ts";
import type { Edit } from "./edit.ts";
import { asynchronous, cloneOperations, privateCopy } from "./given.ts";

/** Puts another document in the place of the whole. */
export function replacement(document: unknown): Edit {
  const given = privateCopy(document, "set the document");
  if (!holdsPlaceholder(given)) return { apply: () => given, checked: given };
  return { apply: (current) => keepSecrets(given, current) };
}

/** Puts a value at a path. */
export function replacementAt(path: Path, value: unknown): Edit {
  const steps = copyPath(path, "set a part of the document");
  const given = privateCopy(value, `set ${describePath(steps)}`);
  const mayKeep = holdsPlaceholder(given);
  return {
    path: steps,
    apply: (document, _value, own) => {
      const part = mayKeep ? keepSecrets(given, valueAt(document, steps) as Json) : given;
      return setAt(document, steps, part, own);
    },
  };
}

/** Takes away what is at a path. */
export function removalAt(path: Path): Edit {
  const steps = copyPath(path, "remove a part of the document");
  // What is taken out of an array moves the elements behind it, which other calls may mean.
  const mayShift = /^\d+$/.test(String(steps.at(-1)));
  return {
    ...(mayShift ? {} : { path: steps }),
    apply: (document) => unsetAt(document, steps),
  };
}

/** Applies a JSON Merge Patch. */
export function merge(patch: unknown): Edit {
  const given = privateCopy(patch, "apply the merge patch");
  const mayKeep = holdsPlaceholder(given);
  return {
    // Before the merge, since a placeholder stands for a whole and would merge with what it stands for.
    apply: (document) => mergePatch(document, mayKeep ? keepSecrets(given, document) : given),
  };
}

/** Applies a JSON Patch. */
export function patchOf(operations: readonly JsonPatchOperation[]): Edit {
  const given = cloneOperations(operations);
  return { apply: (document) => keepSecrets(jsonPatch(document, given), document) };
}

/** Lets a function of the caller change a copy. */
export function update<Input, Output>(
  change: (draft: Input, value: DeepReadonly<Output>) => void,
): Edit {
  return {
    apply: (document, value) => {
      const draft = copyDocument(document);
      const answer: unknown = change(draft as Input, value as DeepReadonly<Output>);
      ignoreRejection(answer);
      if (isPromise(answer)) throw asynchronous();
      const given = privateCopy(draft, "update the document");
      return holdsPlaceholder(given) ? keepSecrets(given, document) : given;
    },
  };
}
