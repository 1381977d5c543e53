import type { JsonObject, Message } from "../core/index.ts";

/**
 * A script: what a model answers, written down. The provider `scripted` performs it in this process; the tests' fake
 * server performs the same thing on the wire. As YAML:
 *
 * ```yaml
 * rules:                      # the first that matches answers
 *   - match:                  # all given conditions must hold; without `match` a rule always matches
 *       user: weather         # the last user message contains this text (case does not matter)
 *       user_regex: "paris|rome"
 *       tool: get_weather     # the last message is a result of this tool (`none`: it is no tool result)
 *       tool_results: 2       # this many tool results stand after the last user message
 *       model: tiny           # the model asked for
 *       call: 3               # this is the third call to the provider
 *     times: 1                # the rule answers this many calls only
 *     thinking: Let me see.
 *     reply: "It is {tool_result}"   # {user} and {tool_result} are replaced by the last of each
 *     tool_calls: [{ name: get_weather, arguments: { city: Paris } }]
 *     usage: { input_tokens: 10, output_tokens: 5 }
 *     delay_ms: 100           # before the first token
 *     token_delay_ms: 10      # before each further one
 *     fault: { status: 429, retry_after_ms: 1000, message: slow down }
 * ```
 *
 * A token is a word with the white space before it. Faults: `status` (an error instead of an answer),
 * `break_after_tokens: n` (the connection breaks), `silence_ms: n` (nothing comes for so long, after the tokens given
 * by `after_tokens`), `garbage: true` (something that is not the protocol), `no_end: true` (the end mark is missing).
 */
export interface Script {
  readonly rules: readonly ScriptRule[];
}

/** One rule of a script. */
export interface ScriptRule {
  readonly match: ScriptMatch;
  /** How many calls it answers; null for any number. */
  readonly times: number | null;
  readonly thinking: string;
  readonly reply: string;
  readonly toolCalls: readonly ScriptToolCall[];
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null;
  readonly delayMs: number;
  readonly tokenDelayMs: number;
  readonly fault: ScriptFault | null;
}

/** The conditions of a rule; null parts always hold. */
export interface ScriptMatch {
  readonly user: string | null;
  readonly userRegex: RegExp | null;
  readonly tool: string | null;
  readonly toolResults: number | null;
  readonly model: string | null;
  readonly call: number | null;
}

/** A tool call that a rule makes; arguments that are text go out as they are, to show broken JSON. */
export interface ScriptToolCall {
  readonly name: string;
  readonly arguments: JsonObject | string;
}

/** What goes wrong. */
export type ScriptFault =
  | { readonly kind: "status"; readonly status: number; readonly retryAfterMs: number | null; readonly message: string }
  | { readonly kind: "break"; readonly afterTokens: number }
  | { readonly kind: "silence"; readonly durationMs: number; readonly afterTokens: number }
  | { readonly kind: "garbage" }
  | { readonly kind: "no_end" };

/** What a rule may look at. */
export interface ScriptSituation {
  readonly model: string;
  readonly user: string;
  /** The last message's tool and text; null when it is no tool result. */
  readonly tool: { readonly name: string; readonly text: string } | null;
  readonly toolResults: number;
  /** Which call to the provider it is; the first is 1. */
  readonly call: number;
}

/** Plays a script: keeps count of calls and of what each rule has answered. */
export interface ScriptPlayer {
  /** The rule that answers; null when none does. */
  next(situation: Omit<ScriptSituation, "call">): ScriptRule | null;
}

/** A player at the script's beginning. */
export function playScript(script: Script): ScriptPlayer {
  const answered = new Map<ScriptRule, number>();
  let call = 0;
  return {
    next(situation) {
      call += 1;
      const rule = script.rules.find(
        (candidate) =>
          (candidate.times === null || (answered.get(candidate) ?? 0) < candidate.times) &&
          matches(candidate.match, { ...situation, call }),
      );
      if (rule === undefined) return null;
      answered.set(rule, (answered.get(rule) ?? 0) + 1);
      return rule;
    },
  };
}

function matches(match: ScriptMatch, situation: ScriptSituation): boolean {
  const { user, userRegex, tool, toolResults, model, call } = match;
  if (user !== null && !situation.user.toLowerCase().includes(user.toLowerCase())) return false;
  if (userRegex !== null && !userRegex.test(situation.user)) return false;
  if (tool !== null && tool !== (situation.tool?.name ?? "none")) return false;
  if (toolResults !== null && toolResults !== situation.toolResults) return false;
  if (model !== null && model !== situation.model) return false;
  return call === null || call === situation.call;
}

/** What the messages of a call say about where the conversation stands. */
export function situationOf(model: string, messages: readonly Message[]): Omit<ScriptSituation, "call"> {
  const lastUser = messages.findLastIndex((message) => message.role === "user");
  const last = messages.at(-1);
  return {
    model,
    user: messages[lastUser]?.text ?? "",
    tool: last?.role === "tool" ? { name: last.toolName, text: last.text } : null,
    toolResults: messages.slice(lastUser + 1).filter((message) => message.role === "tool").length,
  };
}

/** A rule's reply with its places filled in. */
export function fillReply(rule: ScriptRule, situation: Omit<ScriptSituation, "call">): string {
  return rule.reply
    .replaceAll("{user}", () => situation.user)
    .replaceAll("{tool_result}", () => situation.tool?.text ?? "");
}

/** A text in tokens: words with the white space before them, nothing lost. */
export function toTokens(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}
