import { z } from "zod";

import { nodeTraits, runtimeSections } from "./runtime-schema.ts";
import { API_VERSION, duration, httpUrl, json, jsonObject, port, text, variableName } from "./schema-parts.ts";

// `kind: NodeConfig`, as the multi-node deployment guide writes it: what a machine is, and what it depends on.

/** What a NodeConfig's machine does. */
const NODE_TYPES = ["orchestrator", "edge", "hybrid"] as const;

/** The types of `llm_providers` and the provider types that they are with us. */
export const LLM_PROVIDER_TYPES = {
  openai: "openai",
  anthropic: "anthropic",
  ollama: "ollama",
  "openai-compatible": "openai_compat",
} as const;

const llmProvider = z.strictObject({
  name: text,
  type: z.enum(Object.keys(LLM_PROVIDER_TYPES) as (keyof typeof LLM_PROVIDER_TYPES)[]),
  endpoint: httpUrl.optional(),
  api_key: text.optional().describe("${VARIABLE}, env:VARIABLE, or the key itself."),
  api_key_env: variableName.optional(),
  timeout: duration.optional(),
  enabled: z.boolean().default(true),
  models: z
    .array(
      z.strictObject({
        alias: text.optional(),
        model: text,
        capabilities: z.array(text).default([]),
        context_window: z.int().min(1).optional(),
        max_output_tokens: z.int().min(1).optional(),
        temperature: z.number().min(0).optional(),
        cost_per_1k_tokens: z.number().min(0).optional(),
      }),
    )
    .default([]),
});

const containerRuntime = z.strictObject({
  orchestrator_url: httpUrl.nullable().default(null).describe("Where an edge finds its orchestrator."),
  docker_network_mode: text.nullable().default(null),
  docker_socket_path: text.nullable().default(null),
  nfs_server_host: text.nullable().default(null),
  nfs_port: port.default(2049),
  nfs_mountport: port.default(2049),
  bootstrap_script: text.nullable().default(null),
  default_isolation: z.enum(["inherit", "docker", "firecracker", "process"]).default("inherit"),
  runtime_registry_path: text.nullable().default(null),
});

const storage = z.strictObject({
  backend: z.enum(["seaweedfs", "local_host", "opendal"]).default("local_host"),
  fallback_to_local: z.boolean().default(true),
  nfs_port: port.default(2049),
  seaweedfs: jsonObject.optional(),
  local_host: z.strictObject({ mount_point: text.optional() }).optional(),
  opendal: jsonObject.optional(),
});

/** Sections of the guide's product that have no counterpart here; kept out of the program. */
const foreign = json.optional();

/** `spec` of `kind: NodeConfig`: the guide's sections, and all of runtime.yaml's. */
export const nodeSpec = z.strictObject({
  ...runtimeSections,
  node: z
    .strictObject({
      id: text.describe("The operator's name for the machine."),
      type: z.enum(NODE_TYPES).describe("orchestrator, edge or hybrid."),
      ...nodeTraits,
    })
    .describe("What this machine is."),
  runtime: containerRuntime.prefault({}).describe("How agent containers run."),
  llm_providers: z.array(llmProvider).default([]).describe("As providers.yaml, in the guide's form."),
  storage: storage.optional().describe("Where volumes live."),
  network: foreign,
  database: foreign,
  temporal: foreign,
  llm_selection: foreign,
  mcp_servers: foreign,
  builtin_dispatchers: foreign,
  smcp: foreign,
  smcp_gateway: foreign,
  security_contexts: foreign,
  iam: foreign,
  grpc_auth: foreign,
  secrets: foreign,
  cortex: foreign,
  cluster: foreign,
});

/** A node file in the guide's form. */
export const nodeFile = z.strictObject({
  apiVersion: z.enum([API_VERSION, "100monkeys.ai/v1"]),
  kind: z.literal("NodeConfig"),
  metadata: z.strictObject({
    name: text.describe("The label of this node."),
    version: text.optional(),
    labels: z.record(text, z.string()).optional(),
  }),
  spec: nodeSpec,
});

/** `spec` of a NodeConfig with every default. */
export type NodeSpec = z.output<typeof nodeSpec>;
