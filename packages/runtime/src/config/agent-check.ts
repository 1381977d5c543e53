import { createHash } from "node:crypto";

import {
  type AgentDefinition,
  canonicalJson,
  type Json,
  type JsonObject,
  type RoutingStrategy,
} from "../core/index.ts";
import type { AgentCheck } from "../core/ports/index.ts";
import { toDefinition } from "./agent-definition.ts";
import {
  candidateNotices,
  checkAgentParts,
  checkAgentWhole,
  type KnownProviders,
  storedSecretNotices,
} from "./agent-rules.ts";
import { agentFile, KNOWN_PARAMETERS } from "./agent-schema.ts";
import { type Fault, formatFault, type Path } from "./fault.ts";
import { fromJson, MAX_DEPTH, nodeAt, type Source } from "./located.ts";
import type { AgentDefaults } from "./node-config.ts";
import { noticesOf } from "./not-yet.ts";
import type { LiteralSecret } from "./secrets.ts";
import { validateSource, withoutRepeats } from "./validate.ts";
import { expandSource, type Variables } from "./variables.ts";

/** What agents are checked against. */
export interface AgentContext {
  readonly env: Variables;
  /** @default react, 10 iterations */
  readonly defaults?: AgentDefaults;
  /** @default quality_first */
  readonly defaultStrategy?: RoutingStrategy;
  /** The node's providers by name, as ProvidersConfig has them. @default none: only types are known */
  readonly providers?: KnownProviders;
}

/** What checking one document found. */
export interface CheckedAgent {
  /** Null when there are faults. */
  readonly definition: AgentDefinition | null;
  /** The keys that stand in the document itself. */
  readonly secrets: readonly LiteralSecret[];
  readonly faults: readonly Fault[];
  readonly notices: readonly Fault[];
}

/** Checks an agent, from a file or from a document that came by API (`source.file` is null). */
export function checkAgent(source: Source, context: AgentContext): CheckedAgent {
  const none = { definition: null, secrets: [], notices: [] };
  const expanded = expandSource(source, context.env, {
    keeps: keepsReferences,
    refuseElsewhere: source.file === null,
  });
  const checked = validateSource(agentFile, expanded.source);
  const providers = context.providers ?? new Set<string>();
  const spec = checked.ok ? checked.value.spec : checked.rest?.spec;
  const faults = [
    ...(checked.ok ? [] : checked.faults),
    ...(spec === undefined ? [] : checkAgentParts(spec, expanded.source, providers)),
    ...(checked.ok ? checkAgentWhole(checked.value.spec, expanded.source, providers) : []),
  ];
  const wrong = [...expanded.faults, ...withoutRepeats(faults, expanded.faults)];
  if (!checked.ok || wrong.length > 0) return { ...none, faults: wrong };
  const { definition, secrets } = toDefinition(checked.value, {
    defaults: context.defaults ?? { pattern: "react", maxIterations: 10 },
    defaultStrategy: context.defaultStrategy ?? "quality_first",
  });
  const { spec: valid } = checked.value;
  const notices = [
    ...noticesOf(expanded.source, "Agent"),
    ...candidateNotices(valid, expanded.source),
    ...storedSecretNotices(valid, expanded.source),
  ];
  return { definition, secrets, faults: [], notices };
}

/**
 * Where an agent keeps `${NAME}` as it is written, because a pinned definition is stored: keys, and every free-form
 * object that a secret may stand in. Typed fields (an endpoint, a prompt, a temperature) are expanded at load.
 */
function keepsReferences(path: Path): boolean {
  const [root, section, third, fourth] = path;
  if (root !== "spec") return false;
  if (section === "tools" || section === "channels") return fourth === "config";
  if (section === "guardrails") return path.length > 4;
  if (section === "memory") return third === "episodic" || third === "semantic";
  if (section !== "model") return false;
  const parameters = path.indexOf("parameters", 3);
  if (parameters > 0) return !KNOWN_PARAMETERS.some((name) => name === path[parameters + 1]);
  return path.at(-1) === "api_key";
}

/** Checks a document that came by API. Errors name the path inside it as the API does (`spec.tools.0.name`). */
export function checkAgentDocument(document: JsonObject, context: AgentContext): AgentCheck {
  if (nestsDeeper(document, MAX_DEPTH)) {
    return { definition: null, errors: [{ path: "", message: `nested deeper than ${MAX_DEPTH} levels` }], notices: [] };
  }
  const checked = checkAgent({ file: null, root: fromJson(document) }, context);
  return {
    definition: checked.definition,
    errors: checked.faults.map((fault) => ({ path: fault.path.join("."), message: fault.message })),
    notices: checked.notices.map(formatFault),
  };
}

/** A body may nest as deep as it is long; everything that walks it here recurses. */
function nestsDeeper(json: Json, levels: number): boolean {
  if (json === null || typeof json !== "object") return false;
  return levels === 0 || Object.values(json).some((child) => nestsDeeper(child, levels - 1));
}

/** The name of a definition: sha256 of its canonical JSON, in hex. The same on every node. */
export function digestOf(definition: AgentDefinition): string {
  return createHash("sha256")
    .update(canonicalJson(definition as unknown as Json))
    .digest("hex");
}

/** The name that a document gives its agent, valid or not; null when it gives none. */
export function nameIn(source: Source): string | null {
  const node = nodeAt(source.root, ["metadata", "name"]);
  return node?.kind === "scalar" && typeof node.value === "string" && node.value !== "" ? node.value : null;
}
