import { createHash } from "node:crypto";

import type { Context } from "hono";

import { AstromeshError, canonicalJson } from "../../core/index.ts";
import type { Run } from "../../core/index.ts";
import type { Runs } from "../../core/ports/index.ts";
import { idempotencyKey, runInputFromWire } from "../../wire/index.ts";
import type { Question } from "../../wire/index.ts";
import type { RestEnv } from "./context.ts";
import { invalidFields } from "./errors.ts";

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The request's W3C traceparent; null when there is none, or a malformed one, which the standard says to ignore. */
export function traceparentOf(c: Context<RestEnv>): string | null {
  const sent = c.req.header("traceparent");
  return sent !== undefined && TRACEPARENT.test(sent) ? sent : null;
}

/** Writes a run down for this request. A repeat with the same `Idempotency-Key` and question is the same run. */
export async function submit(runs: Runs, c: Context<RestEnv>, agent: string, question: Question): Promise<Run> {
  const key = c.req.header("idempotency-key");
  if (key !== undefined && !idempotencyKey.safeParse(key).success) {
    throw invalidFields([
      { path: "Idempotency-Key", message: "must be 1 to 255 visible ASCII characters without spaces" },
    ]);
  }
  const input = runInputFromWire(question);
  const sessionId = question.session_id ?? null;
  const asked = { agent, query: input.query, context: input.context, sessionId, images: question.images ?? [] };
  const { run } = await runs.submit({
    agent,
    input,
    sessionId,
    principal: c.get("principal"),
    idempotency: key === undefined ? null : { key, bodyDigest: digest(canonicalJson(asked)) },
    traceparent: traceparentOf(c),
  });
  return run;
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What an id of a run may look like. Anything else is no run's, and need not be asked for in the store. */
const RUN_ID = /^[A-Za-z0-9_.:-]{1,128}$/;

/** A run's id from the path; `run_not_found` for text that can be none. */
export function runIdOf(text: string): string {
  if (!RUN_ID.test(text)) throw new AstromeshError("run_not_found", "no run of that id");
  return text;
}
