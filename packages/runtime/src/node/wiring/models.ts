import { expandSecrets } from "../../config/index.ts";
import type { ProvidersConfig, Variables } from "../../config/index.ts";
import type { Clock, Ids, Random } from "../../core/index.ts";
import type { Logger, ModelGateway, ProviderStatus } from "../../core/ports/index.ts";
import { createBreakerBoard, createModelGateway, createModelRegistry } from "../../models/index.ts";
import type { ModelRegistry, ProviderSettings } from "../../models/index.ts";
import { createHttpClient } from "../../net/index.ts";
import { observeModels } from "../../telemetry/index.ts";
import type { Metrics } from "../../telemetry/index.ts";
import type { Snapshot } from "../snapshot.ts";

/** The models of a node. */
export interface NodeModels {
  readonly gateway: ModelGateway;
  /** Makes the providers of a snapshot the ones that calls from now on use. */
  use(snapshot: Snapshot): void;
  check(signal: AbortSignal): Promise<readonly ProviderStatus[]>;
  stop(): Promise<void>;
}

/** Puts the model gateway together. Breakers and connections outlive reloads. */
export function createNodeModels(
  deps: {
    readonly env: Variables;
    readonly clock: Clock;
    readonly random: Random;
    readonly ids: Ids;
    readonly logger: Logger;
    readonly metrics: Metrics;
  },
  first: Snapshot,
): NodeModels {
  const { clock, random, ids, logger, metrics, env } = deps;
  const http = createHttpClient();
  const { failureThreshold, recoveryTimeoutMs } = first.providers.routing.circuitBreaker;
  const breakers = createBreakerBoard(clock, { failures: failureThreshold, restMs: recoveryTimeoutMs });
  let names: readonly string[] = [];

  const build = ({ providers, secret }: Snapshot): ModelRegistry => {
    names = [...providers.providers.keys()];
    return createModelRegistry(
      { http, clock, newCallId: () => ids.make("call"), secret, breakers },
      {
        providers: toSettings(providers, env),
        defaultCandidates: providers.defaultCandidates,
        prices: providers.prices,
      },
    );
  };
  let registry = build(first);
  metrics.breakerState.observe(() =>
    names.map((name) => ({ value: BREAKER_VALUES[breakers.worst(name)], labels: { "gen_ai.provider.name": name } })),
  );
  const gateway = createModelGateway({ registry: () => registry, breakers, clock, random, logger });

  return {
    gateway: observeModels(gateway, { metrics, clock }),
    use: (snapshot) => (registry = build(snapshot)),
    check: (signal) => registry.check(signal),
    stop: () => http.stop(),
  };
}

const BREAKER_VALUES = { closed: 0, half_open: 1, open: 2 } as const;

/** References in parameters are expanded here, at the last moment, so that no snapshot that is shown holds them. */
function toSettings({ providers }: ProvidersConfig, env: Variables): ProviderSettings[] {
  return [...providers.values()].map(({ name, type, endpoint, apiKey, parameters, models, script }) => ({
    name,
    type,
    endpoint,
    apiKey,
    parameters: expandSecrets(parameters, env),
    models,
    script,
  }));
}
