import { AstromeshError } from "../../core/index.ts";
import type { Clock } from "../../core/index.ts";
import type { ModelProvider, ProviderEvent, ProviderRequest } from "../../core/ports/index.ts";
import { fillReply, playScript, situationOf, toTokens } from "../script.ts";
import type { Script, ScriptFault, ScriptRule } from "../script.ts";
import { toToolCall } from "../tool-arguments.ts";

/** What the provider says. */
export interface ScriptedOptions {
  readonly name: string;
  readonly script: Script;
}

/** A provider that answers by a script (see script.ts). Its counters begin anew with each registry. */
export function createScriptedProvider(
  deps: { readonly clock: Clock; readonly newCallId: () => string },
  options: ScriptedOptions,
): ModelProvider {
  const player = playScript(options.script);
  return {
    name: options.name,
    type: "scripted",
    async *stream(request, signal) {
      signal.throwIfAborted();
      const situation = situationOf(request.model, request.messages);
      const rule = player.next(situation);
      if (rule === null) {
        throw new AstromeshError("model_rejected", `No rule of the script "${options.name}" matches this call.`);
      }
      yield* perform(rule, fillReply(rule, situation), request, deps.clock, deps.newCallId, signal);
    },
    async check() {
      const { length } = options.script.rules;
      return { ok: true, message: `a script of ${length} rules; no language model`, models: ["script"] };
    },
  };
}

async function* perform(
  rule: ScriptRule,
  reply: string,
  request: ProviderRequest,
  clock: Clock,
  newCallId: () => string,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const wait = async (durationMs: number): Promise<void> => {
    if (durationMs > 0) await clock.sleep(Math.min(durationMs, request.timeoutMs), signal);
    if (durationMs > request.timeoutMs) throw new AstromeshError("model_timeout", "The script is silent for too long.");
  };
  if (rule.fault !== null) refuse(rule.fault);
  await wait(rule.delayMs);
  if (rule.thinking !== "") yield { type: "thinking", text: rule.thinking };
  const tokens = toTokens(reply);
  for (const [index, text] of tokens.entries()) {
    await failAt(rule.fault, index, wait);
    signal.throwIfAborted();
    if (index > 0) await wait(rule.tokenDelayMs);
    yield { type: "text", text };
  }
  await failAt(rule.fault, tokens.length, wait);
  for (const call of rule.toolCalls) {
    yield { type: "tool_call", call: toToolCall(newCallId(), call.name, call.arguments) };
  }
  if (rule.fault?.kind === "no_end") throw broken();
  yield { type: "finish", reason: rule.toolCalls.length > 0 ? "tool_calls" : "stop", usage: rule.usage };
}

function refuse(fault: ScriptFault): void {
  if (fault.kind === "garbage") throw new AstromeshError("model_bad_response", "The script answers with garbage.");
  if (fault.kind !== "status") return;
  const code =
    fault.status === 429 ? "model_rate_limited" : fault.status >= 500 ? "model_unavailable" : "model_rejected";
  throw new AstromeshError(code, `The script answered ${fault.status}: ${fault.message}.`, {
    details: { status: fault.status },
    ...(fault.retryAfterMs === null ? {} : { retryAfterMs: fault.retryAfterMs }),
  });
}

async function failAt(
  fault: ScriptFault | null,
  index: number,
  wait: (durationMs: number) => Promise<void>,
): Promise<void> {
  if (fault?.kind === "silence" && fault.afterTokens === index) await wait(fault.durationMs);
  if (fault?.kind === "break" && fault.afterTokens <= index) throw broken();
}

function broken(): AstromeshError {
  return new AstromeshError("model_stream_broken", "The script's answer broke off.");
}
