import { JetStreamApiError } from "@nats-io/jetstream";
import { type HoldfastError, holdfastError, isHoldfastError } from "../../core/error.ts";
import type { NatsConnection } from "./nats_kv.ts";

/** Tells whether JetStream refused, and for which reason. */
export function isRefusal(error: unknown, ...codes: readonly number[]): error is JetStreamApiError {
  return error instanceof JetStreamApiError && (codes.length === 0 || codes.includes(error.code));
}

/**
 * Tells a lost compare-and-swap.
 *
 * @returns the revision that was found instead, as far as JetStream says; undefined when the error is another one
 */
export function lostSwap(error: unknown): { readonly found: number | undefined } | undefined {
  if (!isRefusal(error, 10071, 10164)) return undefined;
  const [digits] = /\d+$/.exec(error.message) ?? [];
  return { found: digits === undefined ? undefined : Number(digits) };
}

const tooFewServers = 10005;

/** Tells whether nobody heard the question, or nobody who heard it could answer: a server may be on its way back. */
export function mayBeAnsweredLater(error: unknown): boolean {
  // Too few servers may also mean that they have not met yet.
  if (isRefusal(error)) return error.status === 503 || isRefusal(error, tooFewServers);
  return isNamed(error, "TimeoutError", "JetStreamNotEnabled", "NoResponders");
}

/** Tells whether an order that failed this way certainly stored nothing. */
export function storedNothing(error: unknown): boolean {
  // Out of reach for now, without resources, or full.
  if (isRefusal(error)) {
    return error.status < 500 || isRefusal(error, 10008, 10023, 10047, storeFailed);
  }
  return isNamed(error, "JetStreamNotEnabled", "NoResponders", "PermissionViolationError") ||
    isNamed(error, "InvalidArgumentError", "InvalidSubjectError", "DrainingConnectionError");
}

const storeFailed = 10077;

/** Tells whether a bucket has no room left. It may say so with the status of a server that is out of reach. */
export function isFull(error: unknown): boolean {
  return isRefusal(error, storeFailed) && error.message.includes("maximum");
}

/** Tells whether nothing can be asked on a connection any more. */
export function isEnding(connection: NatsConnection): boolean {
  return connection.isClosed() || connection.isDraining();
}

/** Words what NATS threw. Nothing that could hold credentials, such as the address of a server, is told. */
export function natsError(
  error: unknown,
  attempt: "read" | "write" | "purge" | "watch",
  place: Asked,
): HoldfastError {
  if (isHoldfastError(error)) return error;
  const { name } = place;
  const say = (found: string) => `Cannot ${attempt} ${name}: found ${found}`;
  const refused = causeNamed(error, "PermissionViolationError");
  if (refused !== undefined) {
    const { operation = "use", subject = "a subject" } = refused as {
      readonly operation?: string;
      readonly subject?: string;
    };
    const found = say(`that this NATS user may not do so (${operation} ${subject}); permit it`);
    return attempt === "read" || attempt === "watch"
      ? holdfastError("UNAVAILABLE", found, { source: name }, error)
      : holdfastError("READ_ONLY", found, { source: name }, error);
  }
  if (isRefusal(error, sealed)) {
    const found = say("that the bucket is sealed; use another one");
    return holdfastError("READ_ONLY", found, { source: name }, error);
  }
  return holdfastError("UNAVAILABLE", say(reasonOf(error, place)), { source: name }, error);
}

const sealed = 10109;

/** Whom and how long was asked. */
interface Asked {
  readonly name: string;
  readonly connection: NatsConnection;
  readonly timeoutMs: number;
}

/** The error for a bucket that mirrors another one: it takes no writes, and its keys are those of the other one. */
export function mirrored(name: string, origin: string): HoldfastError {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot use ${name}: found that its bucket is a mirror of ${origin}; name the bucket that it mirrors`,
    { what: "mirror" },
  );
}

/** The error for answers that are older than what was seen. */
export function lagging(source: string): HoldfastError {
  return holdfastError(
    "UNAVAILABLE",
    `Cannot use ${source}: found a server that lags behind what was seen; wait until it has caught up`,
    { source },
  );
}

/** Words why nobody can tell what became of something. */
export function whyUnanswered({ connection, timeoutMs }: Asked): string {
  return isEnding(connection) ? "the connection closed" : `no answer within ${timeoutMs} ms`;
}

function reasonOf(error: unknown, place: Asked): string {
  if (isEnding(place.connection)) {
    return "the connection closed; connect anew and open the config again";
  }
  if (isFull(error)) {
    return `that the bucket is full (${
      (error as Error).message
    }); give it more room, or a shorter history`;
  }
  if (isNamed(error, "JetStreamNotEnabled", "NoResponders")) {
    return "nobody who answers for JetStream; see that the server has it enabled and its cluster has a leader";
  }
  if (isNamed(error, "TimeoutError")) {
    return `${whyUnanswered(place)}; see that the servers run and most of them reach each other`;
  }
  if (isRefusal(error)) {
    return `that JetStream refuses (${error.code}: ${error.message}); see to the server`;
  }
  const name = error instanceof Error ? error.name : "error";
  return `an unexpected ${name}; see its cause`;
}

function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return causeNamed(error, ...names) !== undefined;
}

/** By name, since a program may have more than one copy of the client. */
function causeNamed(error: unknown, ...names: readonly string[]): Error | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (names.includes(each.name)) return each;
  }
  return undefined;
}
