import { createHash } from "node:crypto";

import { z } from "@hono/zod-openapi";
import type { Context } from "hono";

import { AstromeshError, canonicalJson, parseTraceparent } from "../../core/index.ts";
import type { Run } from "../../core/index.ts";
import type { Runs } from "../../core/ports/index.ts";
import { idempotencyKey, runInputFromWire } from "../../wire/index.ts";
import type { Question } from "../../wire/index.ts";
import type { RestEnv } from "./context.ts";

/** The request's W3C traceparent; null when there is none, or a malformed one, which the standard says to ignore. */
export function traceparentOf(c: Context<RestEnv>): string | null {
  const sent = c.req.header("traceparent");
  return sent === undefined || parseTraceparent(sent) === null ? null : sent;
}

/** The headers that a request for a run may carry. */
export const submitHeaders = z.object({
  "idempotency-key": idempotencyKey.optional().meta({ description: "Same key, same run; kept 24 hours" }),
});

/** A request for a run, from either route. */
export interface Submission {
  readonly agent: string;
  readonly question: Question;
  readonly idempotencyKey: string | undefined;
}

/** Writes a run down for this request. A repeat with the same `Idempotency-Key` and question is the same run. */
export async function submit(runs: Runs, c: Context<RestEnv>, asked: Submission): Promise<Run> {
  const { agent, question, idempotencyKey: key } = asked;
  const input = runInputFromWire(question);
  const sessionId = question.session_id ?? null;
  const body = { agent, query: input.query, context: input.context, sessionId, images: question.images ?? [] };
  const { run } = await runs.submit({
    agent,
    input,
    sessionId,
    principal: c.get("principal"),
    idempotency: key === undefined ? null : { key, bodyDigest: digest(canonicalJson(body)) },
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
