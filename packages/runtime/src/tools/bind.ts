import { AstromeshError } from "../core/index.ts";
import type { Clock, JsonObject, ToolEntry } from "../core/index.ts";
import type { Tool, ToolOutcome } from "../core/ports/index.ts";
import { createRateWindow } from "./rate-window.ts";
import { compileSchema, schemaCheck } from "./schema.ts";
import type { ToolKind } from "./tool-kind.ts";

/** What binding needs. */
export interface BindDeps {
  readonly clock: Clock;
  /** Puts environment variables in the place of `${VAR}`; throws `config_invalid` when one is not set. */
  readonly expand: (config: JsonObject) => JsonObject;
}

/** Names that every provider's API accepts for a function. */
const NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** A kind of tool with an entry's settings, or why the entry cannot be offered. */
export function bindTool(
  deps: BindDeps,
  kind: ToolKind,
  entry: ToolEntry,
): { readonly tool: Tool } | { readonly fault: string } {
  if (!NAME.test(entry.name)) return { fault: "a name has letters, digits, _ and -, at most 64 of them" };
  const parameters = entry.parameters ?? kind.parameters;
  if (parameters["type"] !== "object") return { fault: "`parameters` must be a JSON Schema with `type: object`" };
  const offered = compileSchema(parameters);
  if (!offered.ok) return { fault: `\`parameters\` is no valid JSON Schema: ${offered.message}` };
  const own = schemaCheck(kind.parameters);
  const fault = schemaCheck(kind.config)(entry.config) ?? kind.configFault?.(entry.config) ?? null;
  if (fault !== null) return { fault: `\`config\`: ${fault}` };

  const window = entry.rateLimit === null ? null : createRateWindow(entry.rateLimit, () => deps.clock.monotonic());
  return {
    tool: {
      spec: { name: entry.name, description: entry.description ?? kind.description, parameters },
      source: entry.type,
      effect: entry.effect ?? kind.effectOf(entry.config),
      approval: entry.approval,
      timeoutMs: entry.timeoutMs ?? kind.timeoutMs,
      effectOf: (args) => entry.effect ?? kind.effectOf(entry.config, args),
      invalid: (args) => offered.check(args) ?? own(args),
      execute: async (args, scope) => {
        const waitMs = window?.take() ?? 0;
        if (waitMs > 0) {
          const seconds = Math.ceil(waitMs / 1_000);
          return { ok: false, code: "rate_limited", message: `too many calls; the next is possible in ${seconds} s` };
        }
        try {
          return { ok: true, data: await kind.execute(args, deps.expand(entry.config), scope) };
        } catch (thrown) {
          scope.signal.throwIfAborted();
          return failure(thrown);
        }
      },
    },
  };
}

/** What a tool threw, as an outcome. Texts of unknown errors go to the model, so that it can mend its call. */
function failure(thrown: unknown): ToolOutcome {
  if (thrown instanceof AstromeshError) {
    return { ok: false, code: thrown.code, message: thrown.message };
  }
  return { ok: false, code: "tool_failed", message: thrown instanceof Error ? thrown.message : String(thrown) };
}
