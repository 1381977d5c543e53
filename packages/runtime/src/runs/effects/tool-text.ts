import type { Json } from "../../core/index.ts";

/** A tool's result as the model sees it. */
export interface ToolText {
  readonly text: string;
  /** The size of the whole result. */
  readonly sizeBytes: number;
  readonly cut: boolean;
}

/** Text of a result: strings as they are, anything else as JSON; over `maxBytes` it is cut with a note. */
export function toolText(data: Json, maxBytes: number): ToolText {
  const whole = typeof data === "string" ? data : JSON.stringify(data);
  const sizeBytes = Buffer.byteLength(whole);
  if (sizeBytes <= maxBytes) return { text: whole, sizeBytes, cut: false };
  const note = `\n[cut: the first ${maxBytes} of ${sizeBytes} bytes are shown]`;
  return { text: headOf(whole, maxBytes) + note, sizeBytes, cut: true };
}

/** The longest start of a text that fits into so many bytes of UTF-8, never with half a character. */
export function headOf(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text.slice(0, maxBytes));
  if (bytes.length <= maxBytes) return text.slice(0, maxBytes);
  let end = maxBytes;
  // 10xxxxxx continues a character: step back to where one begins.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString("utf8");
}
