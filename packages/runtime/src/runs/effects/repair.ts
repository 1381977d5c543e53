import type { Message, ToolCall } from "../../core/index.ts";

/**
 * Makes a thread fit for a provider: each tool call is followed by its result. A call whose result is missing (its
 * effect failed for good, or the history was cut there) gets one that says so; a result without a call is left out.
 * Providers refuse every later turn of a conversation that breaks this rule.
 */
export function pairToolCalls(messages: readonly Message[]): Message[] {
  const paired: Message[] = [];
  let open = new Map<string, ToolCall>();
  const close = (): void => {
    for (const call of open.values()) paired.push(interrupted(call));
    open = new Map();
  };
  for (const message of messages) {
    if (message.role === "tool") {
      if (open.delete(message.toolCallId)) paired.push(message);
      continue;
    }
    close();
    paired.push(message);
    if (message.role === "assistant") open = new Map((message.toolCalls ?? []).map((call) => [call.id, call]));
  }
  close();
  return paired;
}

function interrupted(call: ToolCall): Message {
  const text = "The call was interrupted. Whether it had any effect is not known.";
  return { role: "tool", toolCallId: call.id, toolName: call.name, ok: false, text };
}
