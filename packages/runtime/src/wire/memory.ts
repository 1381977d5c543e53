import { z } from "zod";

import type { Message } from "../core/index.ts";
import type { ConversationTurn } from "../core/ports/index.ts";
import { jsonObject, present, timestamp, toTimestamp } from "./json.ts";

/** A message of a conversation. */
const messageBody = z
  .object({
    role: z.enum(["system", "user", "assistant", "tool"]),
    text: z.string(),
    images: z.array(z.object({ media_type: z.string(), url: z.string().nullable() })).optional(),
    thinking: z.string().optional(),
    tool_calls: z.array(z.object({ id: z.string(), name: z.string(), arguments: jsonObject.nullable() })).optional(),
    tool_call_id: z.string().optional(),
    tool_name: z.string().optional(),
    ok: z.boolean().optional(),
  })
  .meta({ id: "Message" });
/** See `messageBody`. */
export type MessageBody = z.infer<typeof messageBody>;

/** What a session remembers, oldest turn first. */
export const sessionHistory = z
  .object({
    agent: z.string(),
    session_id: z.string(),
    history: z.array(z.object({ run_id: z.string(), at: timestamp, messages: z.array(messageBody) })),
    limit: z.number(),
  })
  .meta({ id: "SessionHistory" });
/** See `sessionHistory`. */
export type SessionHistory = z.infer<typeof sessionHistory>;

/** What a session's clearing says. */
export const sessionCleared = z
  .object({ agent: z.string(), session_id: z.string(), cleared: z.number().meta({ description: "Turns forgotten" }) })
  .meta({ id: "SessionCleared" });

/** A message on the wire. An image's data is left out: only its type and, where it has one, its address. */
function messageToWire(message: Message): MessageBody {
  switch (message.role) {
    case "system":
      return { role: "system", text: message.text };
    case "user":
      return {
        role: "user",
        text: message.text,
        ...present({
          images: message.images?.map(({ mediaType, source }) => ({
            media_type: mediaType,
            url: "url" in source ? source.url : null,
          })),
        }),
      };
    case "assistant":
      return {
        role: "assistant",
        text: message.text,
        ...present({
          thinking: message.thinking,
          tool_calls: message.toolCalls?.map((call) => ({
            id: call.id,
            name: call.name,
            arguments: call.arguments === null ? null : { ...call.arguments },
          })),
        }),
      };
    case "tool":
    default:
      return {
        role: "tool",
        text: message.text,
        tool_call_id: message.toolCallId,
        tool_name: message.toolName,
        ok: message.ok,
      };
  }
}

/** A turn on the wire. */
export function turnToWire(turn: ConversationTurn): SessionHistory["history"][number] {
  return { run_id: turn.runId, at: toTimestamp(turn.at), messages: turn.messages.map(messageToWire) };
}
