import { isJsonObject } from "../core/index.ts";
import type { Json, ToolCall } from "../core/index.ts";
import { parseJson } from "./read-json.ts";

/**
 * A tool call from what a model sent as its arguments: an object, or the text of one. No text at all means no
 * arguments. Anything else is kept in `rawArguments`, so that the model can be shown what it wrote.
 */
export function toToolCall(id: string, name: string, sent: Json): ToolCall {
  const value = typeof sent === "string" ? parseJson(sent.trim() === "" ? "{}" : sent) : sent;
  if (isJsonObject(value)) return { id, name, arguments: value };
  return { id, name, arguments: null, rawArguments: typeof sent === "string" ? sent : JSON.stringify(sent) };
}
