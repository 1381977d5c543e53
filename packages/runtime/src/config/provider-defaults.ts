import type { Environment } from "./environment.ts";
import { PROVIDERS_NOT_YET } from "./not-yet.ts";
import type { ProviderEntry, ProvidersConfig } from "./providers-config.ts";

/** The providers that are there without a file: built in, or made by the environment. */
export function environmentProviders(environment: Environment): ProviderEntry[] {
  const entry = (
    name: "offline" | "ollama" | "openai" | "anthropic",
    rest: Partial<ProviderEntry> & Pick<ProviderEntry, "origin">,
  ): ProviderEntry => ({
    name,
    type: name,
    endpoint: null,
    models: [],
    apiKey: null,
    timeoutMs: 120_000,
    parameters: {},
    script: null,
    healthCheckIntervalMs: 30_000,
    ...rest,
  });
  const { ollamaUrl, hasOpenAiKey, hasAnthropicKey } = environment;
  const keyed = (name: string) => ({ apiKey: { from: "env", name } as const, origin: name });
  return [
    entry("offline", { models: ["offline"], origin: "built-in" }),
    entry("ollama", {
      endpoint: ollamaUrl ?? "http://localhost:11434",
      origin: ollamaUrl === null ? "built-in" : "OLLAMA_HOST",
    }),
    ...(hasOpenAiKey ? [entry("openai", keyed("OPENAI_API_KEY"))] : []),
    ...(hasAnthropicKey ? [entry("anthropic", keyed("ANTHROPIC_API_KEY"))] : []),
  ];
}

/**
 * What `provider: default` stands for: `chosen`, then what people configured, then what the environment offers, then
 * offline. Types that this release cannot call are left out, and so are scripts: they answer those who ask for them.
 */
export function defaultCandidates(
  chosen: { readonly provider: string; readonly model?: string | undefined } | undefined,
  configured: readonly ProviderEntry[],
  found: readonly ProviderEntry[],
): ProvidersConfig["defaultCandidates"] {
  const names = [...configured, ...found]
    .filter(({ type }) => type !== "offline" && type !== "scripted" && !PROVIDERS_NOT_YET.includes(type))
    .map(({ name }) => name);
  const first = chosen === undefined ? [] : [{ provider: chosen.provider, model: chosen.model ?? null }];
  return [...first, ...[...new Set([...names, "offline"])].map((provider) => ({ provider, model: null }))];
}
