import type { JsonObject, SecretRef } from "../core/index.ts";
import type { MaxTokensName } from "./providers/openai-wire.ts";
import type { Script } from "./script.ts";

/** An entry of providers.yaml, validated. */
export interface ProviderSettings {
  /** What agents call it. */
  readonly name: string;
  /** One of PROVIDER_TYPES. */
  readonly type: string;
  /** Base URL; null for the type's own. */
  readonly endpoint: string | null;
  readonly apiKey: SecretRef | null;
  /** Parameters of every call; a candidate's own win. */
  readonly parameters: JsonObject;
  /** Models that it serves, the first of them its `default`; empty asks the server. */
  readonly models: readonly string[];
  /** What a provider of type `scripted` says; null for every other type. */
  readonly script: Script | null;
}

/** What sets one OpenAI-compatible server apart from another. */
export interface OpenAiType {
  readonly label: string;
  /** Where it listens unless told otherwise; null when it must be told. */
  readonly endpoint: string | null;
  /** The variable that its key is read from unless told otherwise. */
  readonly keyVariable: string | null;
  readonly maxTokensName: MaxTokensName;
  /** Its model `default`; null asks the server for its first. */
  readonly defaultModel: string | null;
}

const own = (label: string, endpoint: string | null): OpenAiType => ({
  label,
  endpoint,
  keyVariable: null,
  maxTokensName: "max_tokens",
  defaultModel: null,
});

/** The types that speak OpenAI's chat completions, with the ports that those servers open by default. */
export const OPENAI_TYPES: Readonly<Record<string, OpenAiType>> = {
  openai: {
    label: "OpenAI",
    endpoint: "https://api.openai.com/v1",
    keyVariable: "OPENAI_API_KEY",
    maxTokensName: "max_completion_tokens",
    defaultModel: "gpt-4o-mini",
  },
  azure_openai: { ...own("Azure OpenAI", null), maxTokensName: "max_completion_tokens" },
  openai_compat: own("The OpenAI-compatible server", null),
  vllm: own("vLLM", "http://localhost:8000/v1"),
  tgi: own("TGI", "http://localhost:8080/v1"),
  llamacpp: own("The llama.cpp server", "http://localhost:8080/v1"),
  lmstudio: own("LM Studio", "http://localhost:1234/v1"),
};

/** Every provider type that a file may name. */
export const PROVIDER_TYPES = [
  "ollama",
  ...Object.keys(OPENAI_TYPES),
  "anthropic",
  "local",
  "offline",
  "scripted",
] as const;

/** Types that files may name already and that a later release brings to life. */
export const LATER_TYPES: readonly string[] = ["anthropic", "local"];
