import type { JsonObject } from "../core/index.ts";
import { meshReply, meshRequest } from "../wire/index.ts";
import type { MeshReply, MeshRequest } from "./messages.ts";

/** True when two types are assignable to each other, `readonly` apart: wire and core must not drift. */
type Same<Wire, Core> = [Wire] extends [Core] ? ([Core] extends [DeepReadonly<Wire>] ? true : never) : never;
type DeepReadonly<T> = JsonObject extends T
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
/** What a schema makes of its input. */
type Output<S extends { parse(input: unknown): unknown }> = ReturnType<S["parse"]>;
type Kinds<T extends { kind: string }> = T["kind"];

const requestsFit: Same<Output<typeof meshRequest>, MeshRequest> = true;
const repliesFit: Same<Output<typeof meshReply>, MeshReply> = true;

/** A message as the body of a request or an answer. */
export function encodeMessage(message: MeshRequest | MeshReply): string {
  return JSON.stringify(message);
}

/** A request's body, checked. Null when it is no message of that kind, or over a bound; nothing is thrown. */
export function decodeRequest(body: string, kind: Kinds<MeshRequest>): MeshRequest | null {
  const parsed = requestsFit && meshRequest.safeParse(parseJson(body));
  return parsed.success && parsed.data.kind === kind ? parsed.data : null;
}

/** An answer's body, checked; null as above. An answer is of its request's kind, or a refusal. */
export function decodeReply(body: string, kind: Kinds<MeshRequest>): MeshReply | null {
  const parsed = repliesFit && meshReply.safeParse(parseJson(body));
  return parsed.success && (parsed.data.kind === kind || parsed.data.kind === "refused") ? parsed.data : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
