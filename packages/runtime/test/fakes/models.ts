import { createIds } from "../../src/core/index.ts";
import type { Clock, JsonObject, ModelCandidate, ModelPolicy, RoutingStrategy } from "../../src/core/index.ts";
import type { Logger, ModelCall, ModelGateway, ProviderRequest } from "../../src/core/ports/index.ts";
import { createBreakerBoard, createModelGateway, createModelRegistry } from "../../src/models/index.ts";
import type {
  BreakerBoard,
  GatewayOptions,
  ModelRegistry,
  ProviderSettings,
  RegistryOptions,
} from "../../src/models/index.ts";
import { createHttpClient } from "../../src/net/index.ts";
import { systemClock } from "./clock.ts";

/** The models part of a node. */
export interface TestModels {
  readonly registry: ModelRegistry;
  readonly gateway: ModelGateway;
  readonly breakers: BreakerBoard;
  readonly stop: () => Promise<void>;
}

/** What can be set; everything has a default. */
export interface TestModelsOptions extends Partial<RegistryOptions> {
  readonly clock?: Clock;
  readonly env?: Readonly<Record<string, string>>;
  readonly gateway?: Partial<GatewayOptions>;
  readonly breakers?: BreakerBoard;
}

/** Models as a node wires them; the gateway repeats without waiting unless told otherwise. */
export function createTestModels(options: TestModelsOptions = {}): TestModels {
  const clock = options.clock ?? systemClock;
  const http = createHttpClient();
  const breakers = options.breakers ?? createBreakerBoard(clock);
  const ids = createIds(() => clock.now(), Math.random);
  const secret = (ref: { readonly from: string; readonly name?: string }): string | null =>
    (ref.from === "env" && ref.name !== undefined && options.env?.[ref.name]) || null;
  const registry = createModelRegistry(
    { http, clock, breakers, newCallId: () => ids.make("call"), secret },
    {
      providers: options.providers ?? [],
      defaultCandidates: options.defaultCandidates ?? [],
      prices: options.prices ?? {},
    },
  );
  const gateway = createModelGateway(
    { registry: () => registry, breakers, clock, random: () => 0.5, logger: silentLogger },
    { baseMs: 0, ...options.gateway },
  );
  return { registry, gateway, breakers, stop: () => http.stop() };
}

/** A logger that says nothing. */
const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

/** An entry of providers.yaml. */
export function providerSettings(
  settings: Partial<ProviderSettings> & Pick<ProviderSettings, "name" | "type">,
): ProviderSettings {
  return { endpoint: null, apiKey: null, parameters: {}, models: [], script: null, ...settings };
}

/** A candidate as an agent's file names it. */
export function candidate(provider: string, overrides: Partial<ModelCandidate> = {}): ModelCandidate {
  return { provider, model: "fake", endpoint: null, apiKey: null, timeoutMs: 5_000, parameters: {}, ...overrides };
}

/** A call with one question to these candidates. */
export function modelCall(candidates: ModelPolicy["candidates"], overrides: Partial<ModelCall> = {}): ModelCall {
  return {
    policy: { candidates, strategy: "quality_first" satisfies RoutingStrategy },
    messages: [{ role: "user", text: "hello" }],
    tools: [],
    outputSchema: null,
    idempotencyKey: "run_1/0",
    traceparent: null,
    agent: "tester",
    runId: "run_1",
    ...overrides,
  };
}

/** A request to one provider, with one question. */
export function providerRequest(overrides: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    model: "fake",
    messages: [{ role: "user", text: "hello" }],
    tools: [],
    parameters: {},
    outputSchema: null,
    timeoutMs: 5_000,
    idempotencyKey: "run_1/0",
    traceparent: null,
    ...overrides,
  };
}

/** A tool as models are told of it. */
export function toolSpec(name: string, properties: JsonObject = {}, required: readonly string[] = []) {
  return { name, description: `The tool ${name}`, parameters: { type: "object", properties, required } };
}

/** What came, and how it ended. */
export interface Heard<T> {
  readonly events: readonly T[];
  /** What was thrown; null when it ended well. */
  readonly error: unknown;
}

/** Listens to the end, or to the error. */
export async function hear<T>(stream: AsyncIterable<T>): Promise<Heard<T>> {
  const events: T[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events, error: null };
  } catch (error) {
    return { events, error };
  }
}

/** The text of all pieces. */
export function textOf(events: readonly { readonly type: string; readonly text?: string }[]): string {
  return events.map((event) => (event.type === "text" ? (event.text ?? "") : "")).join("");
}

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal;
