import type { YamlFault } from "./yaml_node.ts";

/** Thrown within the reader at the first fault. */
export class YamlStop extends Error {
  readonly fault: YamlFault;
  constructor(fault: YamlFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** What ends the reading of a YAML text. */
export function stop(offset: number, message: string, limit?: YamlFault["limit"]): YamlStop {
  return new YamlStop({ offset, message, ...limit === undefined ? {} : { limit } });
}
