import type { Format } from "./format.ts";
import { jsonFormat } from "./json.ts";

/** JSON with comments, and with a comma allowed behind the last member or element. */
export const jsonc: Format = jsonFormat("jsonc", { comments: true });
