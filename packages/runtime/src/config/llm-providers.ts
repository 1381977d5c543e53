import { faultAt, type Source } from "./located.ts";
import { LLM_PROVIDER_TYPES, type NodeSpec } from "./node-schema.ts";
import type { ModelPrice, ProviderEntry } from "./providers-config.ts";
import { durationMs } from "./schema-parts.ts";
import { type LiteralSecret, readSecret } from "./secrets.ts";

/** Providers as a NodeConfig gave them. */
export interface LlmProviders {
  readonly entries: readonly ProviderEntry[];
  readonly prices: Readonly<Record<string, ModelPrice>>;
  readonly secrets: readonly LiteralSecret[];
}

type LlmProvider = NodeSpec["llm_providers"][number];

/** The `llm_providers` of a NodeConfig as providers of ours; those with `enabled: false` are left out. */
export function readLlmProviders(node: { readonly spec: NodeSpec; readonly source: Source } | null): LlmProviders {
  if (node === null) return { entries: [], prices: {}, secrets: [] };
  const read = node.spec.llm_providers.flatMap((provider, index) =>
    provider.enabled ? [readOne(provider, node.source, index)] : [],
  );
  return {
    entries: read.map((provider) => provider.entry),
    prices: Object.assign({}, ...read.map((provider) => provider.prices)) as Record<string, ModelPrice>,
    secrets: read.flatMap((provider) => provider.secrets),
  };
}

function readOne(provider: LlmProvider, source: Source, index: number) {
  const at = faultAt(source, ["spec", "llm_providers", index], "").at;
  // The guide writes `env:NAME` for a variable.
  const variable = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(provider.api_key ?? "")?.[1];
  const key = readSecret(
    variable === undefined ? provider.api_key : undefined,
    variable ?? provider.api_key_env,
    `provider:${provider.name}`,
    ["api_key"],
  );
  const entry: ProviderEntry = {
    name: provider.name,
    type: LLM_PROVIDER_TYPES[provider.type],
    endpoint: provider.endpoint ?? null,
    models: provider.models.map((model) => model.model),
    apiKey: key.ref,
    timeoutMs: durationMs(provider.timeout ?? "120s"),
    parameters: {},
    script: null,
    healthCheckIntervalMs: 30_000,
    origin: `${source.file}:${at?.line ?? 1}:${at?.col ?? 1}`,
  };
  const prices = provider.models.flatMap(({ model, cost_per_1k_tokens: cost }) =>
    cost === undefined ? [] : [[model, { inputUsdPerMillion: cost * 1000, outputUsdPerMillion: cost * 1000 }] as const],
  );
  return { entry, prices: Object.fromEntries(prices), secrets: key.literals };
}
