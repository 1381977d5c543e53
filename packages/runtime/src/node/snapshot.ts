import { join } from "node:path";

import {
  checkChannels,
  createSecretResolver,
  loadAgents,
  loadProviders,
  readEnvironment,
  resolveNodeConfig,
} from "../config/index.ts";
import type { AgentContext, ConfigInput, NodeConfig, ProvidersConfig, SecretResolver } from "../config/index.ts";
import type { RejectedAgent } from "../core/index.ts";
import type { ConfigEntry, LoadedAgent } from "../core/ports/index.ts";

/** Everything that files, environment and flags say at one moment. Immutable: a reload reads another and swaps it in. */
export interface Snapshot {
  /** Holds keys and passwords in plain text: never log it. */
  readonly config: NodeConfig;
  /** Every setting with its origin, secrets hidden. */
  readonly origins: readonly ConfigEntry[];
  readonly providers: ProvidersConfig;
  /** From files, and the built-in one unless a file overrides it. */
  readonly agents: readonly LoadedAgent[];
  readonly rejected: readonly RejectedAgent[];
  /** What agents that come by API are checked against. */
  readonly agentContext: AgentContext;
  readonly secret: SecretResolver;
  /** Every secret in plain text, so that the log can hide it. */
  readonly secrets: readonly string[];
  /** What works and is probably not meant. */
  readonly warnings: readonly string[];
  /** What is accepted and has no effect in this release. */
  readonly notices: readonly string[];
}

/** A snapshot, or every error of runtime.yaml, providers.yaml and the environment as `file:line:col message`. */
export type SnapshotRead =
  | { readonly ok: true; readonly snapshot: Snapshot }
  | { readonly ok: false; readonly errors: readonly string[] };

/** Reads a snapshot. A bad agent file is part of it (`rejected`); anything else that is wrong makes it none. */
export function readSnapshot(input: ConfigInput): SnapshotRead {
  const resolved = resolveNodeConfig(input);
  if (!resolved.ok) return resolved;
  const { config, llmProviders } = resolved;
  const { env, cwd } = input;
  const { configDir } = config.places;
  const { environment } = readEnvironment(env);
  const providers = loadProviders({ configDir, environment, env, cwd, llmProviders });
  const channels = checkChannels(configDir, cwd);
  if (!providers.ok || channels.errors.length > 0) {
    return { ok: false, errors: [...(providers.ok ? [] : providers.errors), ...channels.errors] };
  }
  const agentContext: AgentContext = {
    env,
    defaults: config.agentDefaults,
    defaultStrategy: providers.config.routing.defaultStrategy,
    providers: providers.config.providers,
  };
  const agents = loadAgents(configDir === null ? null : join(configDir, "agents"), { ...agentContext, cwd });
  const literals = [...providers.secrets, ...agents.secrets];
  const secret = createSecretResolver(env, literals);
  return {
    ok: true,
    snapshot: {
      config,
      origins: resolved.origins,
      providers: providers.config,
      agents: agents.agents,
      rejected: agents.rejected,
      agentContext,
      secret,
      secrets: [
        ...config.api.keys.map(({ key }) => key),
        ...config.mesh.secrets,
        ...literals.map(({ owner, path }) => secret({ from: "file", owner, path }) ?? ""),
        ...[...providers.config.providers.values()].flatMap(({ apiKey }) =>
          apiKey?.from === "env" ? [env[apiKey.name] ?? ""] : [],
        ),
      ],
      warnings: [...resolved.warnings, ...providers.warnings],
      notices: [...resolved.notices, ...providers.notices, ...channels.notices, ...agents.notices],
    },
  };
}
