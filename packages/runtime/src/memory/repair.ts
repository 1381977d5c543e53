import type { Message } from "../core/index.ts";

type ToolMessage = Extract<Message, { role: "tool" }>;

/**
 * The same messages with every tool call followed by its result, as providers demand: a call without one gets a
 * failed result that says so, a result that no call asked for is dropped, and results stand right behind their call
 * in call order.
 */
export function repairToolCalls(messages: readonly Message[]): readonly Message[] {
  const repaired: Message[] = [];
  messages.forEach((message, at) => {
    if (message.role === "tool") return;
    repaired.push(message);
    if (message.role !== "assistant") return;
    const results = resultsBehind(messages, at);
    for (const call of message.toolCalls ?? []) repaired.push(results.get(call.id) ?? missing(call.id, call.name));
  });
  return repaired;
}

/** Results between this answer and the next, by call; the first one counts. */
function resultsBehind(messages: readonly Message[], answer: number): ReadonlyMap<string, ToolMessage> {
  const results = new Map<string, ToolMessage>();
  for (let at = answer + 1; at < messages.length; at += 1) {
    const message = messages[at];
    if (message === undefined || message.role === "assistant") break;
    if (message.role === "tool" && !results.has(message.toolCallId)) results.set(message.toolCallId, message);
  }
  return results;
}

function missing(toolCallId: string, toolName: string): ToolMessage {
  return { role: "tool", toolCallId, toolName, ok: false, text: "The result of this call was not kept." };
}
