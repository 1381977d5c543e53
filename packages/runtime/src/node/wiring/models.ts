import { expandSecrets } from "../../config/index.ts";
import type { ProvidersConfig, Variables } from "../../config/index.ts";
import type { Clock, Ids, Random } from "../../core/index.ts";
import type { Logger, ModelGateway, ProviderStatus } from "../../core/ports/index.ts";
import { createBreakerBoard, createModelGateway, createModelRegistry } from "../../models/index.ts";
import type { BreakerBoard, ModelRegistry, ProviderSettings } from "../../models/index.ts";
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

/** Puts the model gateway together. Connections outlive reloads. */
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
  let board = createBoard(first, clock);
  const breakers: BreakerBoard = { watch: (key) => board.watch(key), worst: (provider) => board.worst(provider) };
  let current = first;
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

  /** `fallback_enabled: false` in providers.yaml: the first choice or nothing. */
  const withinPolicy: ModelGateway = {
    call(call, signal) {
      if (current.providers.routing.fallbackEnabled) return gateway.call(call, signal);
      const { candidates } = call.policy;
      return gateway.call({ ...call, policy: { ...call.policy, candidates: candidates.slice(0, 1) } }, signal);
    },
  };

  return {
    gateway: observeModels(withinPolicy, { metrics, clock }),
    use(snapshot) {
      if (!sameBreakers(snapshot, current)) board = createBoard(snapshot, clock);
      registry = build(snapshot);
      current = snapshot;
    },
    check: (signal) => registry.check(signal),
    stop: () => http.stop(),
  };
}

const BREAKER_VALUES = { closed: 0, half_open: 1, open: 2 } as const;

function createBoard({ providers }: Snapshot, clock: Clock): BreakerBoard {
  const { failureThreshold, recoveryTimeoutMs } = providers.routing.circuitBreaker;
  return createBreakerBoard(clock, { failures: failureThreshold, restMs: recoveryTimeoutMs });
}

/** Breakers outlive a reload, so that models that are down stay known to be, unless their settings change. */
function sameBreakers(a: Snapshot, b: Snapshot): boolean {
  const [one, other] = [a.providers.routing.circuitBreaker, b.providers.routing.circuitBreaker];
  return one.failureThreshold === other.failureThreshold && one.recoveryTimeoutMs === other.recoveryTimeoutMs;
}

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
