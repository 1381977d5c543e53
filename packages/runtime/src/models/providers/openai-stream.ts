import { isJsonArray, isJsonObject } from "../../core/index.ts";
import type { FinishReason, Json, JsonObject, ToolCall } from "../../core/index.ts";
import type { ProviderEvent } from "../../core/ports/index.ts";
import { numberOf, objectOf, objectsOf, textOf } from "../read-json.ts";
import { toToolCall } from "../tool-arguments.ts";

/** Puts the chunks of one chat completion together. */
export interface ChunkReader {
  /** What a chunk says. Tool calls come with the chunk that ends the answer, because only then they are whole. */
  read(chunk: JsonObject): readonly ProviderEvent[];
  /** The last event; null while no chunk has said why the model stopped. */
  finish(): ProviderEvent | null;
}

interface PendingCall {
  /** A few servers send none. */
  readonly index: number | null;
  id: string;
  name: string;
  /** Pieces of JSON text; a few servers send the object itself. */
  arguments: string;
  object: JsonObject | null;
}

/** A reader for one answer. @param newCallId for servers that send no ids */
export function createChunkReader(newCallId: () => string): ChunkReader {
  const calls: PendingCall[] = [];
  let usage: { readonly inputTokens: number; readonly outputTokens: number } | null = null;
  let reason: string | null = null;
  let calledTools = false;

  const wholeCalls = (): readonly ToolCall[] => {
    const whole = calls
      .splice(0)
      .map((call) => toToolCall(call.id || newCallId(), call.name, call.object ?? call.arguments));
    calledTools ||= whole.length > 0;
    return whole;
  };

  return {
    read(chunk) {
      usage = toUsage(chunk) ?? usage;
      const [choice] = objectsOf(chunk, "choices");
      if (choice === undefined) return [];
      const delta = objectOf(choice, "delta");
      const events: ProviderEvent[] = [];
      const thinking = textOf(delta, "reasoning_content") || textOf(delta, "reasoning");
      if (thinking !== "") events.push({ type: "thinking", text: thinking });
      const text = contentText(delta["content"]) + textOf(delta, "refusal");
      if (text !== "") events.push({ type: "text", text });
      for (const part of objectsOf(delta, "tool_calls")) addPart(calls, part);
      if (typeof choice["finish_reason"] === "string") {
        reason = choice["finish_reason"];
        for (const call of wholeCalls()) events.push({ type: "tool_call", call });
      }
      return events;
    },
    finish() {
      return reason === null ? null : { type: "finish", reason: calledTools ? "tool_calls" : toReason(reason), usage };
    },
  };
}

function addPart(calls: PendingCall[], part: JsonObject): void {
  const index = numberOf(part, "index");
  const id = textOf(part, "id");
  const call =
    calls.find((known) => (index === null ? known.id === id : known.index === index)) ?? openCall(calls, id, index);
  call.id ||= id;
  const wanted = objectOf(part, "function");
  call.name ||= textOf(wanted, "name");
  const sent = wanted["arguments"];
  if (isJsonObject(sent)) call.object = sent;
  else call.arguments += textOf(wanted, "arguments");
}

/** A further piece of the last call when it has neither index nor id, else a new call. */
function openCall(calls: PendingCall[], id: string, index: number | null): PendingCall {
  const last = calls.at(-1);
  if (index === null && id === "" && last !== undefined) return last;
  const call: PendingCall = { index, id, name: "", arguments: "", object: null };
  calls.push(call);
  return call;
}

/** Text comes as a string; a few servers send parts. */
function contentText(content: Json | undefined): string {
  if (typeof content === "string") return content;
  if (content === undefined || !isJsonArray(content)) return "";
  return content.map((part) => (isJsonObject(part) ? textOf(part, "text") : "")).join("");
}

function toUsage(chunk: JsonObject): { inputTokens: number; outputTokens: number } | null {
  const usage = chunk["usage"];
  if (!isJsonObject(usage)) return null;
  return {
    inputTokens: numberOf(usage, "prompt_tokens") ?? 0,
    outputTokens: numberOf(usage, "completion_tokens") ?? 0,
  };
}

function toReason(reason: string): FinishReason {
  if (reason === "length" || reason === "content_filter") return reason;
  return reason === "tool_calls" || reason === "function_call" ? "tool_calls" : "stop";
}
