import type { JsonObject } from "./json.ts";

/** An image in a message: by address, or as base64 data. */
export interface ImagePart {
  readonly mediaType: string;
  readonly source: { readonly url: string } | { readonly data: string };
}

/** A tool call that a model asks for. */
export interface ToolCall {
  /** The provider's id of the call, or one made by us where it sends none. */
  readonly id: string;
  readonly name: string;
  /** The arguments as the model sent them; null when they were no JSON object (see `rawArguments`). */
  readonly arguments: JsonObject | null;
  /** The text that was not a JSON object; absent when `arguments` is there. */
  readonly rawArguments?: string;
}

/** One message of a conversation, independent of any provider. */
export type Message =
  | { readonly role: "system"; readonly text: string }
  | { readonly role: "user"; readonly text: string; readonly images?: readonly ImagePart[] }
  | {
      readonly role: "assistant";
      readonly text: string;
      readonly thinking?: string;
      readonly toolCalls?: readonly ToolCall[];
    }
  | {
      readonly role: "tool";
      readonly toolCallId: string;
      readonly toolName: string;
      readonly ok: boolean;
      readonly text: string;
    };
