import { AstromeshError } from "../core/index.ts";
import type { ErrorCode, JsonObject } from "../core/index.ts";
import type { WriteCall } from "./database.ts";

/** What the writer's thread is started with. */
export interface WriterData {
  readonly path: string;
  readonly busyTimeoutMs: number;
  readonly sizeBytesMax: number | null;
  /** The id of a database that has none yet. */
  readonly newStoreId: string;
}

/** To the thread: writes, all of one tick together; or the wish to close. */
export type ToWriter = { readonly kind: "writes"; readonly calls: readonly WriteCall[] } | { readonly kind: "stop" };

/** From the thread. Results come in the order of the writes. */
export type FromWriter =
  | { readonly kind: "ready"; readonly storeId: string }
  | { readonly kind: "refused"; readonly error: ErrorOnWire }
  | { readonly kind: "results"; readonly results: readonly ResultOnWire[] };

/** One write's result. */
export type ResultOnWire = { readonly value: unknown } | { readonly error: ErrorOnWire };

/** An AstromeshError as plain data: error objects lose their own fields between threads. */
export interface ErrorOnWire {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details: JsonObject;
  readonly cause: string | null;
}

/** Sends a message of this protocol to the other side. */
export function post(
  to: { postMessage: (message: ToWriter | FromWriter) => void },
  message: ToWriter | FromWriter,
): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a browser's window
  to.postMessage(message);
}

/** Takes an error apart for the wire. */
export function toWire(error: AstromeshError): ErrorOnWire {
  const { code, message, retryable, details, cause } = error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : null;
  return { code, message, retryable, details, cause: text };
}

/** Puts an error together again. */
export function fromWire({ code, message, retryable, details, cause }: ErrorOnWire): AstromeshError {
  return new AstromeshError(code, message, { retryable, details, ...(cause === null ? {} : { cause }) });
}
