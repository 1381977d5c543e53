export { checkAgentDocument, digestOf } from "./agent-check.ts";
export type { AgentContext } from "./agent-check.ts";
export { loadAgents } from "./agents.ts";
export type { LoadedAgents } from "./agents.ts";
export { checkChannels } from "./channels.ts";
export type { CheckedChannels } from "./channels.ts";
export { editorSchemas } from "./editor-schemas.ts";
export { readEnvironment } from "./environment.ts";
export type { Environment, OtelEnvironment } from "./environment.ts";
export type { ApiKey } from "./environment-reader.ts";
export type { Flags } from "./flags.ts";
export type {
  AgentDefaults,
  ApiConfig,
  ContainersConfig,
  MeshConfig,
  NodeConfig,
  NodeTraits,
  ObservabilityConfig,
  Places,
  RoutingConfig,
  RunsConfig,
  StoreConfig,
} from "./node-config.ts";
export { packageFolder } from "./package-folder.ts";
export type { ProviderType } from "./provider-types.ts";
export { loadProviders } from "./providers.ts";
export type { LoadedProviders, ProvidersInput } from "./providers.ts";
export type { ModelPrice, ProviderEntry, ProvidersConfig } from "./providers-config.ts";
export { resolveNodeConfig } from "./resolve.ts";
export type { ConfigInput, ResolvedNode } from "./resolve.ts";
export type { SystemPlaces } from "./search.ts";
export { createSecretResolver } from "./secrets.ts";
export type { LiteralSecret, SecretResolver } from "./secrets.ts";
export { expandSecrets } from "./variables.ts";
export type { Variables } from "./variables.ts";
