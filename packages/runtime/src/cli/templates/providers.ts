/** The providers that `init` and `new agent` know how to write down. */
export const INIT_PROVIDERS = ["ollama", "openai", "openai_compat", "offline"] as const;

/** One of them. */
export type InitProvider = (typeof INIT_PROVIDERS)[number];

/** A model that most people of this provider have. */
export const DEFAULT_MODELS: Readonly<Record<InitProvider, string>> = {
  ollama: "llama3.1:8b",
  openai: "gpt-4o-mini",
  openai_compat: "default",
  offline: "offline",
};

const ENTRIES: Readonly<Record<InitProvider, string>> = {
  ollama: `    ollama:
      type: ollama
      endpoint: \${OLLAMA_HOST:-http://localhost:11434}
`,
  openai: `    openai:
      type: openai
      api_key_env: OPENAI_API_KEY
`,
  openai_compat: `    openai_compat:
      type: openai_compat
      # The base URL with its version, as in http://host:8001/v1.
      endpoint: http://localhost:8001/v1
`,
  offline: `    # Answers by built-in rules, without any model: enough to see runs, tools and streams work.
    offline:
      type: offline
`,
};

/** A providers.yaml with this provider. */
export function providersFile(provider: InitProvider): string {
  return `# Model providers that agents name by \`provider:\`.
apiVersion: astromesh/v1
kind: ProviderConfig
metadata:
  name: providers
spec:
  providers:
${ENTRIES[provider]}`;
}
