import { AstromeshError } from "../../../core/index.ts";
import type { Json, JsonObject } from "../../../core/index.ts";
import type { JournalRecord, RecordKind } from "../../../core/ports/index.ts";

/** What the journal knows of one call. */
export interface KnownCall {
  readonly intent: JournalRecord | null;
  /** The `done` or `failed` record that every replay returns. */
  readonly outcome: JournalRecord | null;
  readonly ambiguous: JournalRecord | null;
}

/** A segment's journal by position. */
export interface ReplayIndex {
  /** The records of the segment when the attempt took it up, in order. */
  readonly records: readonly JournalRecord[];
  at(position: string): KnownCall | null;
  /** True when an earlier attempt got as far as this position or into its branches. */
  reached(position: string): boolean;
}

/** Indexes the records of one segment. */
export function createReplayIndex(records: readonly JournalRecord[]): ReplayIndex {
  const calls = new Map<string, { -readonly [K in keyof KnownCall]: KnownCall[K] }>();
  for (const record of records) {
    const call = calls.get(record.position) ?? { intent: null, outcome: null, ambiguous: null };
    if (record.phase === "intent") call.intent = record;
    else if (record.phase === "ambiguous") call.ambiguous = record;
    else call.outcome = record;
    calls.set(record.position, call);
  }
  return {
    records,
    at: (position) => calls.get(position) ?? null,
    reached: (position) => calls.has(position) || [...calls.keys()].some((known) => known.startsWith(`${position}.`)),
  };
}

/**
 * Holds a call of the loop against what the journal has at its position.
 * `journal_mismatch` when the loop asks for something else than it did: the journal belongs to other code.
 */
export function verifyCall(
  known: KnownCall,
  asked: { readonly position: string; readonly kind: RecordKind; readonly digest: string; readonly what: Json },
): void {
  const first = known.intent ?? known.outcome;
  if (first === null || (first.kind === asked.kind && first.inputDigest === asked.digest)) return;
  const difference: JsonObject = {
    segment: first.segment,
    position: asked.position,
    journaled: { kind: first.kind, digest: first.inputDigest, about: aboutOf(first) },
    asked: { kind: asked.kind, digest: asked.digest, request: asked.what },
  };
  const message =
    `The journal does not fit the code that replays it: at position ${asked.position} it has a ${first.kind}, ` +
    `and the loop asks for ${first.kind === asked.kind ? "another" : "a"} ${asked.kind}.`;
  throw new AstromeshError("journal_mismatch", message, { details: difference });
}

/** What an intent says of its call: the tool, the agent, the thread. */
export function aboutOf(record: JournalRecord): JsonObject {
  const about = payloadOf(record)["about"];
  return typeof about === "object" && about !== null && !Array.isArray(about) ? (about as JsonObject) : {};
}

/** The members of a record's payload; none when it is no object. */
export function payloadOf(record: JournalRecord): JsonObject {
  const { payload } = record;
  return typeof payload === "object" && payload !== null && !Array.isArray(payload) ? (payload as JsonObject) : {};
}
