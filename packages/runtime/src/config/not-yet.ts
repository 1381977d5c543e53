import type { Json, RoutingStrategy } from "../core/index.ts";
import type { Fault, Path } from "./fault.ts";
import { faultAt, faultAtKey, type Located, type Source, toJson } from "./located.ts";

/** The kinds of documents. */
export type DocumentKind = "Agent" | "RuntimeConfig" | "NodeConfig" | "ProviderConfig" | "Channels";

/** A part that is understood and does nothing yet. */
interface NotYet {
  readonly kinds: readonly DocumentKind[];
  /** Keys joined by dots; `*` stands for any one key or index. */
  readonly path: string;
  /** The values that are alive; without it, no value is. */
  readonly alive?: readonly Json[];
}

const NODE: readonly DocumentKind[] = ["RuntimeConfig", "NodeConfig"];

/** Model router strategies that choose; the others keep the order of the file. */
const STRATEGIES: readonly RoutingStrategy[] = ["quality_first", "round_robin", "cost_optimized"];

/**
 * Everything that documents may say and that has no effect in this release. A release that brings a part to life
 * deletes its line here; nothing else says that it was missing.
 */
const NOT_YET: readonly NotYet[] = [
  { kinds: ["Agent"], path: "spec.orchestration.pattern", alive: ["react"] },
  { kinds: ["Agent"], path: "spec.memory.conversational.backend", alive: ["sqlite", "postgres"] },
  { kinds: ["Agent"], path: "spec.memory.conversational.strategy", alive: ["sliding_window", "token_budget"] },
  { kinds: ["Agent"], path: "spec.memory.episodic" },
  { kinds: ["Agent"], path: "spec.memory.semantic" },
  { kinds: ["Agent"], path: "spec.guardrails" },
  { kinds: ["Agent"], path: "spec.knowledge" },
  { kinds: ["Agent"], path: "spec.schedules" },
  { kinds: ["Agent"], path: "spec.channels" },
  { kinds: ["Agent"], path: "spec.model.routing.strategy", alive: STRATEGIES },
  { kinds: ["Agent"], path: "spec.model.default.strategy", alive: STRATEGIES },
  { kinds: ["Agent"], path: "spec.model.roles.*.strategy", alive: STRATEGIES },
  { kinds: ["Agent"], path: "spec.tools.*.type", alive: ["builtin", "webhook"] },
  { kinds: NODE, path: "spec.mesh.enabled", alive: [false] },
  { kinds: NODE, path: "spec.redis_url" },
  { kinds: NODE, path: "spec.temporal_address" },
  { kinds: NODE, path: "spec.api.grpc_port" },
  { kinds: NODE, path: "spec.api.limits.upload_size" },
  { kinds: NODE, path: "spec.observability.traces.content", alive: [false] },
  { kinds: ["NodeConfig"], path: "spec.runtime" },
  { kinds: ["NodeConfig"], path: "spec.storage" },
  { kinds: ["NodeConfig"], path: "spec.network" },
  { kinds: ["NodeConfig"], path: "spec.database" },
  { kinds: ["NodeConfig"], path: "spec.temporal" },
  { kinds: ["NodeConfig"], path: "spec.llm_selection" },
  { kinds: ["NodeConfig"], path: "spec.mcp_servers" },
  { kinds: ["NodeConfig"], path: "spec.builtin_dispatchers" },
  { kinds: ["NodeConfig"], path: "spec.smcp" },
  { kinds: ["NodeConfig"], path: "spec.smcp_gateway" },
  { kinds: ["NodeConfig"], path: "spec.security_contexts" },
  { kinds: ["NodeConfig"], path: "spec.iam" },
  { kinds: ["NodeConfig"], path: "spec.grpc_auth" },
  { kinds: ["NodeConfig"], path: "spec.secrets" },
  { kinds: ["NodeConfig"], path: "spec.cortex" },
  { kinds: ["NodeConfig"], path: "spec.cluster" },
  { kinds: ["ProviderConfig"], path: "spec.routing.default_strategy", alive: STRATEGIES },
  { kinds: ["Channels"], path: "channels" },
];

/** Provider types that are understood and do nothing yet. */
export const PROVIDERS_NOT_YET: readonly string[] = ["anthropic", "local"];

/** What a notice says. */
export const NO_EFFECT = "accepted, but has no effect in this version";

/** A notice for each part of a document that says something and has no effect in this release. */
export function noticesOf(source: Source, kind: DocumentKind): Fault[] {
  return NOT_YET.filter((entry) => entry.kinds.includes(kind)).flatMap((entry) =>
    matches(source.root, entry.path.split(".")).flatMap(({ path, node }) => noticeFor(source, path, node, entry)),
  );
}

function noticeFor(source: Source, path: Path, node: Located, entry: NotYet): Fault[] {
  const value = toJson(node);
  if (saysNothing(value) || entry.alive?.includes(value) === true) return [];
  if (entry.alive === undefined) return [faultAtKey(source, path, NO_EFFECT)];
  return [faultAt(source, path, `${JSON.stringify(value)} is ${NO_EFFECT}`)];
}

function saysNothing(value: Json): boolean {
  return value === null || (typeof value === "object" && Object.values(value).every((child) => saysNothing(child)));
}

function matches(root: Located, pattern: readonly string[], path: Path = []): { path: Path; node: Located }[] {
  const [head, ...rest] = pattern;
  if (head === undefined) return [{ path, node: root }];
  return children(root)
    .filter(([key]) => head === "*" || String(key) === head)
    .flatMap(([key, node]) => matches(node, rest, [...path, key]));
}

function children(node: Located): [string | number, Located][] {
  if (node.kind === "map") return [...node.entries].map(([key, entry]) => [key, entry.value]);
  return node.kind === "list" ? node.items.map((item, index) => [index, item]) : [];
}
