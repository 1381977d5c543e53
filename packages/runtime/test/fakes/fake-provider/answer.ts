import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import type { JsonObject } from "../../../src/core/index.ts";
import { fillReply, toTokens } from "../../../src/models/index.ts";
import type { ScriptRule, ScriptSituation } from "../../../src/models/index.ts";
import type { Gates } from "./gates.ts";
import type { NumberedCall, Protocol } from "./protocols.ts";

/** What one answer is made of. */
export interface Asked {
  readonly protocol: Protocol;
  readonly model: string;
  readonly body: JsonObject;
  readonly situation: Omit<ScriptSituation, "call">;
  readonly rule: ScriptRule;
  readonly newCallId: () => string;
}

/** Texts of answers that are the same each time. */
const prepared = new WeakMap<ScriptRule, Map<string, string>>();

/** Gives the answer of a rule, with its delays, faults and gates. Ends early when the client has left. */
export async function answer(response: ServerResponse, asked: Asked, gates: Gates): Promise<void> {
  const { protocol, rule, body } = asked;
  if (gates.open() && rule.delayMs === 0 && rule.tokenDelayMs === 0 && rule.fault === null) {
    const type = protocol.streams(body) ? protocol.streamType : "application/json";
    response.writeHead(200, { "content-type": type }).end(wholeText(asked));
    return;
  }
  const left = new AbortController();
  response.once("close", () => left.abort());
  try {
    await gates.pass("request");
    if (rule.fault?.kind === "status") refuse(response, asked, rule.fault.status, rule.fault.retryAfterMs);
    else if (protocol.streams(body)) await stream(response, asked, gates, left.signal);
    else await wholeAtOnce(response, asked, gates, left.signal);
  } catch (error) {
    if (!left.signal.aborted) throw error;
  }
}

function wholeText(asked: Asked): string {
  const { protocol, model, body, rule } = asked;
  const streamed = protocol.streams(body);
  const fixed = !rule.reply.includes("{") && rule.toolCalls.length === 0;
  const key = `${protocol.streamType} ${streamed} ${model} ${JSON.stringify(body["stream_options"] ?? null)}`;
  const known = fixed ? prepared.get(rule)?.get(key) : undefined;
  if (known !== undefined) return known;

  const reply = fillReply(rule, asked.situation);
  const calls = numbered(asked);
  const text = streamed
    ? [
        rule.thinking === "" ? "" : protocol.thinking(model, rule.thinking),
        ...toTokens(reply).map((token) => protocol.text(model, token)),
        calls.length === 0 ? "" : protocol.calls(model, calls),
        protocol.end(model, rule, body),
      ].join("")
    : protocol.whole(model, rule, reply, calls);
  if (fixed) prepared.set(rule, (prepared.get(rule) ?? new Map<string, string>()).set(key, text));
  return text;
}

async function stream(response: ServerResponse, asked: Asked, gates: Gates, left: AbortSignal): Promise<void> {
  const { protocol, model, body, rule } = asked;
  await wait(rule.delayMs, left);
  const say = async (text: string): Promise<void> => {
    left.throwIfAborted();
    if (!response.headersSent) response.writeHead(200, { "content-type": protocol.streamType });
    if (!response.write(text))
      await new Promise<void>((resolve) => response.once("drain", resolve).once("close", resolve));
  };
  if (rule.fault?.kind === "garbage") {
    await say(protocol.streamType === "text/event-stream" ? "data: {not json\n\n" : "{not json\n");
    response.end();
    return;
  }
  if (rule.thinking !== "") await say(protocol.thinking(model, rule.thinking));
  const tokens = toTokens(fillReply(rule, asked.situation));
  for (const [index, token] of tokens.entries()) {
    if (await failed(response, asked, index, left)) return;
    await gates.pass(`token:${index}`);
    if (index > 0) await wait(rule.tokenDelayMs, left);
    await say(protocol.text(model, token));
  }
  if (await failed(response, asked, tokens.length, left)) return;
  if (rule.toolCalls.length > 0) {
    await gates.pass("calls");
    await say(protocol.calls(model, numbered(asked)));
  }
  await gates.pass("end");
  if (rule.fault?.kind !== "no_end") await say(protocol.end(model, rule, body));
  response.end();
}

async function wholeAtOnce(response: ServerResponse, asked: Asked, gates: Gates, left: AbortSignal): Promise<void> {
  await wait(asked.rule.delayMs, left);
  if (await failed(response, asked, 0, left)) return;
  await gates.pass("end");
  left.throwIfAborted();
  const garbage = asked.rule.fault?.kind === "garbage";
  response.writeHead(200, { "content-type": "application/json" }).end(garbage ? "{not json" : wholeText(asked));
}

/** The faults of a place in the answer. True when the answer is over. */
async function failed(response: ServerResponse, { rule }: Asked, index: number, left: AbortSignal): Promise<boolean> {
  const { fault } = rule;
  if (fault?.kind === "silence" && fault.afterTokens === index) await wait(fault.durationMs, left);
  if (fault?.kind !== "break" || fault.afterTokens > index) return false;
  // What was written must reach the client before the connection goes.
  if (response.headersSent) await new Promise<void>((resolve) => response.write("", () => resolve()));
  response.socket?.destroy();
  return true;
}

function refuse(
  response: ServerResponse,
  { protocol, rule }: Asked,
  status: number,
  retryAfterMs: number | null,
): void {
  const message = rule.fault?.kind === "status" ? rule.fault.message : "";
  response.setHeader("content-type", "application/json");
  if (retryAfterMs !== null) {
    response.setHeader("retry-after", Math.ceil(retryAfterMs / 1_000));
    response.setHeader("retry-after-ms", retryAfterMs);
  }
  response.writeHead(status).end(protocol.error(message));
}

function numbered({ rule, newCallId }: Asked): readonly NumberedCall[] {
  return rule.toolCalls.map((call) => ({ id: newCallId(), ...call }));
}

async function wait(durationMs: number, left: AbortSignal): Promise<void> {
  if (durationMs > 0) await sleep(durationMs, undefined, { ref: false, signal: left });
}
