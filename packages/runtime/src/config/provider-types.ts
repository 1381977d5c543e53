/** The kinds of model servers. */
export const PROVIDER_TYPES = [
  "ollama",
  "openai",
  "openai_compat",
  "anthropic",
  "local",
  "offline",
  "scripted",
] as const;

/** A kind of model server. */
export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** Other words for a type: servers that all speak OpenAI's protocol. */
export const PROVIDER_ALIASES = {
  vllm: "openai_compat",
  tgi: "openai_compat",
  llamacpp: "openai_compat",
  azure_openai: "openai_compat",
  lmstudio: "openai_compat",
} as const satisfies Record<string, ProviderType>;

/** Every word that `type` and an agent's `provider` may use. */
export const PROVIDER_WORDS: readonly string[] = [...PROVIDER_TYPES, ...Object.keys(PROVIDER_ALIASES)];

/** The type that a word means; null for any other word. */
export function providerType(word: string): ProviderType | null {
  const alias = (PROVIDER_ALIASES as Readonly<Record<string, ProviderType | undefined>>)[word];
  return alias ?? PROVIDER_TYPES.find((type) => type === word) ?? null;
}

/** The provider that stands for whichever model the node finds. */
export const DEFAULT_PROVIDER = "default";
