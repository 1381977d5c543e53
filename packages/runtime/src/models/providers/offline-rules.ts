import { isJsonArray, isJsonObject } from "../../core/index.ts";
import type { JsonObject, Message } from "../../core/index.ts";
import type { ToolSpec } from "../../core/ports/index.ts";
import { objectOf, parseJson } from "../read-json.ts";

/** What the offline model does next. */
export type OfflineMove =
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "call"; readonly calls: readonly { readonly name: string; readonly arguments: JsonObject }[] };

const WHO = "I am Astromesh's built-in offline model: a few fixed rules, no language model.";
const HOW =
  "For real answers start Ollama (https://ollama.com) or set OPENAI_API_KEY, or name a model in the agent's file.";

/**
 * The rules, in order: results of tools are told; `call NAME {..}` calls that tool; an arithmetic expression goes to
 * `calculator` and a question about time or date to `datetime_now`, where they are offered; anything else is
 * answered with what this is and how to get more. The same messages always get the same answer.
 */
export function offlineMove(messages: readonly Message[], tools: readonly ToolSpec[]): OfflineMove {
  const results = trailingResults(messages);
  if (results.length > 0) return { kind: "say", text: tellResults(results) };
  const asked = messages.findLast((message) => message.role === "user")?.text.trim() ?? "";
  const ordered = orderedCall(asked, tools);
  if (ordered !== null) return { kind: "call", calls: [ordered] };

  const calls = [calculation(asked, tools), clockCall(asked, tools)].filter((call) => call !== null);
  if (calls.length > 0) return { kind: "call", calls };
  const offered = tools.length === 0 ? "" : ` I can call tools, though; try: call ${tools[0]?.name ?? ""} {}.`;
  const heard = asked === "" ? "" : ` You said: “${asked.length > 200 ? `${asked.slice(0, 200)}…` : asked}”.`;
  return { kind: "say", text: `${WHO}${heard}${offered} ${HOW}` };
}

type ToolMessage = Extract<Message, { role: "tool" }>;

function trailingResults(messages: readonly Message[]): readonly ToolMessage[] {
  const before = messages.findLastIndex((message) => message.role !== "tool");
  return messages.slice(before + 1).filter((message) => message.role === "tool");
}

function tellResults(results: readonly ToolMessage[]): string {
  const told = results.map(({ toolName, ok, text }) =>
    ok ? `${toolName} says: ${text}` : `${toolName} failed: ${text}`,
  );
  return `${told.join("\n")}\n(Answered by Astromesh's built-in offline model, which is no language model.)`;
}

/** `call NAME` or `call NAME {"key": "value"}` for a tool that is offered. */
function orderedCall(asked: string, tools: readonly ToolSpec[]) {
  const [, name, text] = /^call\s+([\w.-]+)\s*(\{.*\})?\s*$/is.exec(asked) ?? [];
  if (name === undefined || !tools.some((tool) => tool.name === name)) return null;
  const args = parseJson(text ?? "{}");
  return isJsonObject(args) ? { name, arguments: args } : null;
}

/** The longest piece of the text that is an arithmetic expression with at least one operator. */
function calculation(asked: string, tools: readonly ToolSpec[]) {
  const tool = tools.find(({ name }) => name === "calculator");
  if (tool === undefined) return null;
  const pieces =
    asked
      .replaceAll("×", "*")
      .replaceAll("÷", "/")
      .match(/[\d(][\d\s.()+\-*/%^]*[\d)]/g) ?? [];
  const expressions = pieces.filter((piece) => /\d[\s)]*[+\-*/%^][\s(+-]*\d/.test(piece));
  const longest = expressions.toSorted((a, b) => b.length - a.length)[0];
  return longest === undefined ? null : { name: tool.name, arguments: { [firstTextMember(tool)]: longest.trim() } };
}

function clockCall(asked: string, tools: readonly ToolSpec[]) {
  const offered = tools.some(({ name }) => name === "datetime_now");
  const about = /\b(what|which|tell|current|now|today)\b.*\b(time|date|day|year|month|hour)\b|\b(today|now)\b\s*\?/i;
  return offered && about.test(asked) ? { name: "datetime_now", arguments: {} } : null;
}

/** The member that the tool's schema requires first. */
function firstTextMember(tool: ToolSpec): string {
  const required = tool.parameters["required"];
  const first = required !== undefined && isJsonArray(required) ? required[0] : undefined;
  return typeof first === "string" ? first : (Object.keys(objectOf(tool.parameters, "properties"))[0] ?? "expression");
}
