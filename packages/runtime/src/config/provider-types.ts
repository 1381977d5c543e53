/**
 * The kinds of model servers. `vllm`, `tgi`, `llamacpp`, `azure_openai` and `lmstudio` are `openai_compat` with the
 * habits of that server.
 */
export const PROVIDER_TYPES = [
  "ollama",
  "openai",
  "openai_compat",
  "vllm",
  "tgi",
  "llamacpp",
  "azure_openai",
  "lmstudio",
  "anthropic",
  "local",
  "offline",
  "scripted",
] as const;

/** A kind of model server. */
export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** Types that have no address of their own. */
export const TYPES_WITH_ENDPOINT: readonly string[] = ["openai_compat", "azure_openai"];

/** The provider that stands for whichever model the node finds. */
export const DEFAULT_PROVIDER = "default";
