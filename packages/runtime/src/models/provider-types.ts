import type { Json, JsonObject, SecretRef } from "../core/index.ts";

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
  /** What a provider of type `scripted` says (see script.ts); null for every other type. */
  readonly script: Json;
}

/** What sets one OpenAI-compatible server apart from another. */
export interface OpenAiType {
  readonly label: string;
  /** Where it listens unless told otherwise; null when it must be told. */
  readonly endpoint: string | null;
  /** The variable that its key is read from unless told otherwise; a call to its own endpoint needs a key then. */
  readonly keyVariable: string | null;
  /** Its model `default`; null asks the server for its first. */
  readonly defaultModel: string | null;
}

const selfHosted = (label: string, endpoint: string | null): OpenAiType => ({
  label,
  endpoint,
  keyVariable: null,
  defaultModel: null,
});

/** The types that speak OpenAI's chat completions, with the ports that those servers open by default. */
export const OPENAI_TYPES: Readonly<Record<string, OpenAiType>> = {
  openai: {
    label: "OpenAI",
    endpoint: "https://api.openai.com/v1",
    keyVariable: "OPENAI_API_KEY",
    defaultModel: "gpt-4o-mini",
  },
  azure_openai: selfHosted("Azure OpenAI", null),
  openai_compat: selfHosted("The OpenAI-compatible server", null),
  vllm: selfHosted("vLLM", "http://localhost:8000/v1"),
  tgi: selfHosted("TGI", "http://localhost:8080/v1"),
  llamacpp: selfHosted("The llama.cpp server", "http://localhost:8080/v1"),
  lmstudio: selfHosted("LM Studio", "http://localhost:1234/v1"),
};

/** Types that files may name already and that a later release brings to life. */
export const LATER_TYPES: readonly string[] = ["anthropic", "local"];

/** Every provider type that a file may name. */
export const PROVIDER_TYPES: readonly string[] = [
  "ollama",
  ...Object.keys(OPENAI_TYPES),
  "offline",
  "scripted",
  ...LATER_TYPES,
];
