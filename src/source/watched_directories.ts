import { watchDirectories } from "../host/watch.ts";
import type { SourceContext, SourceWatch, SourceWatchOptions } from "./source.ts";

/** Watches a source that lies in directories; which those are is asked again at every poll. */
export async function watchSourceIn(
  directories: () => Promise<readonly string[]>,
  { host, keepAlive, warn }: SourceContext,
  { timing, look }: SourceWatchOptions,
): Promise<SourceWatch> {
  return await watchDirectories(host, { ...timing, look, directories, keepAlive, warn });
}
