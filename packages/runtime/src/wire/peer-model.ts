/** Model calls between nodes: `POST /v1/inference/stream`. Core's own names, as in peer-run.ts. Never a key. */
import { z } from "zod";

import { ROUTING_STRATEGIES } from "../core/index.ts";
import type { Message, ModelCandidate, ToolCall } from "../core/index.ts";
import type { ModelCall, ModelCallEvent, ToolSpec } from "../core/ports/index.ts";
import { jsonObject } from "./json.ts";
import { peerError, peerImage } from "./peer-run.ts";

const toolCall = z.object({
  id: z.string(),
  name: z.string(),
  arguments: jsonObject.nullable(),
  rawArguments: z.string().exactOptional(),
}) satisfies z.ZodType<ToolCall>;

/** A message of a conversation. */
export const peerMessage = z.discriminatedUnion("role", [
  z.object({ role: z.literal("system"), text: z.string() }),
  z.object({ role: z.literal("user"), text: z.string(), images: z.array(peerImage).exactOptional() }),
  z.object({
    role: z.literal("assistant"),
    text: z.string(),
    thinking: z.string().exactOptional(),
    toolCalls: z.array(toolCall).exactOptional(),
  }),
  z.object({
    role: z.literal("tool"),
    toolCallId: z.string(),
    toolName: z.string(),
    ok: z.boolean(),
    text: z.string(),
  }),
]) satisfies z.ZodType<Message>;

/** Strict: a candidate that brings a key is refused, not read. */
const candidate = z.strictObject({
  provider: z.string(),
  model: z.string(),
  endpoint: z.string().nullable(),
  apiKey: z.null(),
  timeoutMs: z.number().positive(),
  parameters: jsonObject,
}) satisfies z.ZodType<ModelCandidate>;

const tool = z.object({
  name: z.string(),
  description: z.string(),
  parameters: jsonObject,
}) satisfies z.ZodType<ToolSpec>;

/** The body of the call. */
export const peerModelCall = z.object({
  policy: z.object({ candidates: z.array(candidate), strategy: z.enum(ROUTING_STRATEGIES) }),
  messages: z.array(peerMessage),
  tools: z.array(tool),
  outputSchema: jsonObject.nullable(),
  idempotencyKey: z.string(),
  traceparent: z.string().nullable(),
  agent: z.string(),
  runId: z.string(),
}) satisfies z.ZodType<ModelCall>;

const usage = z.object({ inputTokens: z.number(), outputTokens: z.number(), costUsd: z.number().nullable() });

const event = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("thinking"), text: z.string() }),
  z.object({ type: z.literal("tool_call"), call: toolCall }),
  z.object({ type: z.literal("candidate"), provider: z.string(), model: z.string(), why: z.string() }),
  z.object({ type: z.literal("retract"), reason: z.string() }),
  z.object({
    type: z.literal("finish"),
    reason: z.enum(["stop", "length", "tool_calls", "content_filter"]),
    usage,
    provider: z.string(),
    model: z.string(),
  }),
]) satisfies z.ZodType<ModelCallEvent>;

/** One server-sent event of the answer: what the model says, or why it says no more. */
export const peerModelEvent = z.union([
  event,
  z.object({ type: z.literal("error"), error: peerError, retryAfterMs: z.number().nullable() }),
]);
/** See `peerModelEvent`. */
export type PeerModelEvent = z.infer<typeof peerModelEvent>;
