import type { ImagePart, Message } from "../core/index.ts";

/** The longest text of one message that is kept, in characters. */
export const MAX_MESSAGE_CHARS = 16_384;
/** The most text of one turn that is kept with its tool calls, in characters. */
const MAX_TURN_CHARS = 65_536;

/** The first half of a surrogate pair, left over by a cut. */
const HALF_CHARACTER = /[\uD800-\uDBFF]$/;

/**
 * What of a turn a session keeps: no system prompt (each run renders its own), no thinking, no image data, and
 * bounded texts. A turn over its limit keeps the question and the answer without the tool calls between.
 */
export function keptMessages(messages: readonly Message[]): readonly Message[] {
  const kept = messages.filter((message) => message.role !== "system").map(bounded);
  const size = kept.reduce((sum, message) => sum + sizeOf(message), 0);
  if (size <= MAX_TURN_CHARS) return kept;
  const answer = kept.findLast((message) => message.role === "assistant");
  const questions = kept.filter((message) => message.role === "user").slice(0, 1);
  return answer === undefined ? questions : [...questions, { role: "assistant", text: answer.text }];
}

function bounded(message: Message): Message {
  const text = shortened(message.text);
  if (message.role === "user") return userMessage(text, message.images ?? []);
  if (message.role !== "assistant") return { ...message, text };
  return { role: "assistant", text, ...(message.toolCalls === undefined ? {} : { toolCalls: message.toolCalls }) };
}

/** An image by address stays; one by data leaves a note that it was there. */
function userMessage(text: string, images: readonly ImagePart[]): Message {
  const linked = images.filter((image) => "url" in image.source);
  const dropped = images.length - linked.length;
  const note = dropped === 0 ? "" : `\n[${dropped === 1 ? "an image was" : `${dropped} images were`} attached]`;
  return { role: "user", text: text + note, ...(linked.length > 0 ? { images: linked } : {}) };
}

function shortened(text: string): string {
  if (text.length <= MAX_MESSAGE_CHARS) return text;
  const start = text.slice(0, MAX_MESSAGE_CHARS).replace(HALF_CHARACTER, "");
  return `${start}\n[${text.length - MAX_MESSAGE_CHARS} characters not kept]`;
}

function sizeOf(message: Message): number {
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return message.text.length + (calls.length === 0 ? 0 : JSON.stringify(calls).length);
}
