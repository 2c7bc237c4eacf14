/** Reads a file as fast as it can until its standard input ends, and tells of every read that was not whole. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import process from "node:process";

const [path = ""] = process.argv.slice(2);
let stopped = false;
process.stdin.on("data", () => stopped = true);
process.stdin.on("end", () => stopped = true);

const versions = new Set<string>();
const faults: string[] = [];
let reads = 0;
while (!stopped) {
  try {
    const text = await readFile(path, "utf8");
    const { sum, ...rest } = JSON.parse(text) as { sum: string };
    if (createHash("sha256").update(JSON.stringify(rest)).digest("hex") !== sum) {
      faults.push(`a checksum that does not match in ${text.length} characters`);
    }
    versions.add(sum);
  } catch (error) {
    faults.push(String(error));
  }
  if (reads++ === 0) console.log("reading");
}
console.log(JSON.stringify({ reads, versions: versions.size, faults: faults.slice(0, 5) }));
process.exit(0);
