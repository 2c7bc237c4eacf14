import process from "node:process";
import type { Host } from "../src/host/host.ts";
import { nodeFsHost } from "./node_fs.ts";

/**
 * The host on Bun.
 *
 * It stands on Bun's node:fs, since `Bun.write` neither makes anything durable nor honours a mode.
 */
export const bunHost: Host = nodeFsHost("bun", process.platform);
