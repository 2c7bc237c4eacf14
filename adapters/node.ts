import process from "node:process";
import type { Host } from "../src/host/host.ts";
import { nodeFsHost } from "./node_fs.ts";

/** The host on Node. */
export const nodeHost: Host = nodeFsHost("node", process.platform);
