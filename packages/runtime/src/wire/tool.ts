import { z } from "zod";

import type { EffectClass, ToolSource } from "../core/index.ts";
import type { ToolListing } from "../core/ports/index.ts";
import { agentName } from "./identifiers.ts";
import { jsonObject, jsonValue } from "./json.ts";

/** Where a tool comes from. */
export const toolSource = z.enum(["builtin", "mcp", "agent", "webhook", "client", "rag"]);

/** What repeating a tool's call does. */
export const effectClass = z
  .enum(["read", "idempotent", "once"])
  .meta({ id: "EffectClass", description: "What a resume may repeat: `once` is never repeated" });

/** A tool as it is listed. */
export const toolListing = z
  .object({
    name: z.string(),
    source: toolSource,
    description: z.string(),
    effect: effectClass,
    parameters: jsonObject.meta({ description: "JSON Schema of the arguments" }),
    agents: z.array(z.string()).meta({ description: "The agents that offer it" }),
  })
  .meta({ id: "Tool" });
/** See `toolListing`. */
export type ToolListingBody = z.infer<typeof toolListing>;

/** A list of tools. */
export const toolList = z.object({ tools: z.array(toolListing), count: z.number() }).meta({ id: "ToolList" });

/** A tool on the wire. */
export function toolToWire(tool: ToolListing, agents: readonly string[]): ToolListingBody {
  return {
    name: tool.name,
    source: tool.source satisfies ToolSource,
    description: tool.description,
    effect: tool.effect satisfies EffectClass,
    parameters: { ...tool.parameters },
    agents: [...agents],
  };
}

/** The body of `POST /v1/tools/execute`. */
export const toolExecuteRequest = z
  .strictObject({
    tool_name: agentName,
    arguments: jsonObject.optional(),
    agent: agentName.optional().meta({ description: "Run the tool as this agent has it; absent: the builtin one" }),
  })
  .meta({ id: "ToolExecuteRequest" });

/** What a tool returned. A tool that fails answers with an error. */
export const toolExecuted = z
  .object({ tool: z.string(), ok: z.literal(true), result: jsonValue })
  .meta({ id: "ToolExecuted" });
