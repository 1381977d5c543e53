import type { JsonObject, ModelCandidate, ModelPolicy, RoutingStrategy } from "../core/index.ts";
import type { AgentSpec } from "./agent-schema.ts";
import type { Path } from "./fault.ts";
import { DEFAULT_PROVIDER } from "./provider-types.ts";
import { durationMs } from "./schema-parts.ts";
import { type LiteralSecret, readSecret } from "./secrets.ts";

type Candidate = NonNullable<AgentSpec["model"]["primary"]>;
type Policy = NonNullable<AgentSpec["model"]["default"]>;

/** A candidate of the file and where it stands. */
export interface PlacedCandidate {
  readonly path: Path;
  readonly given: Candidate;
}

/** The candidates of the default policy: `default`, or primary, fallback and extra in their order. */
function defaultPolicyCandidates(model: AgentSpec["model"]): PlacedCandidate[] {
  const at: Path = ["spec", "model"];
  if (model.default !== undefined) return placed(model.default, [...at, "default"]);
  const chain: [Path, Candidate | undefined][] = [
    [[...at, "primary"], model.primary],
    [[...at, "fallback"], model.fallback],
    ...Object.entries(model.extra ?? {}).map(([name, given]): [Path, Candidate] => [[...at, "extra", name], given]),
  ];
  return chain.flatMap(([path, given]) => (given === undefined ? [] : [{ path, given }]));
}

/** Every candidate of the file. */
export function allCandidates(model: AgentSpec["model"]): PlacedCandidate[] {
  const roles = Object.entries(model.roles).flatMap(([role, policy]) =>
    placed(policy, ["spec", "model", "roles", role]),
  );
  return [...defaultPolicyCandidates(model), ...roles];
}

function placed(policy: Policy, path: Path): PlacedCandidate[] {
  return policy.candidates.map((given, index) => ({ path: [...path, "candidates", index], given }));
}

/** The word that names a candidate's provider. */
export function providerWord(given: Candidate): string {
  return given.provider ?? given.source ?? DEFAULT_PROVIDER;
}

/** Both forms of the file as policies. Literal keys are collected in `secrets`. */
export function toModelPolicies(
  model: AgentSpec["model"],
  options: {
    readonly owner: string;
    readonly defaultStrategy: RoutingStrategy;
  },
): {
  readonly default: ModelPolicy;
  readonly roles: Readonly<Record<string, ModelPolicy>>;
  readonly secrets: readonly LiteralSecret[];
} {
  const secrets: LiteralSecret[] = [];
  const common = model.routing.strategy ?? options.defaultStrategy;
  const toCandidate = ({ given, path }: PlacedCandidate): ModelCandidate => {
    const key = readSecret(given.api_key, given.api_key_env, options.owner, [...path, "api_key"]);
    secrets.push(...key.literals);
    return {
      provider: providerWord(given),
      model: given.model,
      endpoint: given.endpoint ?? null,
      apiKey: key.ref,
      timeoutMs: durationMs(given.timeout),
      parameters: toParameters(given),
    };
  };
  const candidates = defaultPolicyCandidates(model).map(toCandidate);
  const roles = Object.entries(model.roles).map(([role, policy]): [string, ModelPolicy] => {
    const own = placed(policy, ["spec", "model", "roles", role]).map(toCandidate);
    return [role, { candidates: own, strategy: policy.strategy ?? common }];
  });
  return {
    default: {
      candidates: candidates.length === 0 ? [WHICHEVER_MODEL] : candidates,
      strategy: model.default?.strategy ?? common,
    },
    roles: Object.fromEntries(roles),
    secrets,
  };
}

/** The model of an agent that names none: the node's providers decide (ProvidersConfig.defaultCandidates). */
const WHICHEVER_MODEL: ModelCandidate = {
  provider: DEFAULT_PROVIDER,
  model: "default",
  endpoint: null,
  apiKey: null,
  timeoutMs: 120_000,
  parameters: {},
};

function toParameters(given: Candidate): JsonObject {
  const short: JsonObject = {
    ...(given.temperature === undefined ? {} : { temperature: given.temperature }),
    ...(given.max_tokens === undefined ? {} : { max_tokens: given.max_tokens }),
  };
  const long = Object.entries(given.parameters).filter(([, value]) => value !== undefined);
  return { ...short, ...(Object.fromEntries(long) as JsonObject) };
}
