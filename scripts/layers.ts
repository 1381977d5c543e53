/**
 * The drawing of the house: which room exists, whom it may import, and where each third-party library may be
 * imported. This is the one place that says so. `npm run gen` turns it into lint rules and the lists of AGENTS.md;
 * packages/runtime/test/tidy.test.ts checks the sources against it once more, by another way.
 *
 * Paths are relative to packages/runtime/src.
 */

/** A folder, or files of one, with import rules of its own. The innermost place that holds a file rules it. */
export interface Place {
  /** A folder such as `runs` or `agents/patterns`, or a file such as `mesh/view.ts`; `*` stands for part of a name. */
  readonly at: string;
  /** What the place is for, in a few words. */
  readonly about: string;
  /** Doors of other rooms that it may import. */
  readonly rooms: readonly string[];
  /** Doors that it may import only with `import type`. */
  readonly types?: readonly string[];
  /** No Node built-ins: the place also runs where there are none, or must not touch the world. */
  readonly pure?: boolean;
}

const CORE = ["core", "core/ports"];
const OUTWARD = [...CORE, "wire", "telemetry", "net"];

const ALL_ROOMS = [
  "config",
  ...OUTWARD,
  "mesh",
  "routing",
  "agents",
  "agents/patterns",
  "runs",
  "models",
  "tools",
  "memory",
  "rag",
  "containers",
  "sandbox",
  "edges",
  "doors",
  "store",
];

/** The files of the mesh that may not touch the world: the simulator runs them under a clock and network of its own. */
const MESH_CORE = [
  "context",
  "core",
  "departure",
  "detector",
  "dissemination",
  "effects",
  "election",
  "exchange",
  "hash",
  "healing",
  "lease-client",
  "membership",
  "messages",
  "naming",
  "parts",
  "probes",
  "pulse",
  "record",
  "register",
  "relay",
  "repair",
  "requests",
  "round-robin",
  "security",
  "self",
  "self-health",
  "seniority",
  "settings",
  "snapshot",
  "speech",
  "suspicion",
  "trust",
  "view",
];

/** Every place, wider ones before the narrower ones inside them. A place without a slash is a room. */
export const PLACES: readonly Place[] = [
  { at: "bin", about: "entry files: parse argv, call node/ or cli/", rooms: ["node", "cli"] },
  { at: "node", about: "one running node; the only place where parts meet", rooms: ALL_ROOMS },
  { at: "config", about: "what a node and an agent are told, as typed values", rooms: [...CORE, "wire"] },
  { at: "core", about: "the shared vocabulary and the ports", rooms: [], pure: true },
  { at: "wire", about: "schemas of everything that crosses a process", rooms: CORE },
  { at: "mesh", about: "Maia: who is there, and who leads", rooms: OUTWARD },
  { at: "routing", about: "which node serves a request, and getting it there", rooms: OUTWARD },
  { at: "agents", about: "the registry, prompts, guardrails", rooms: [...CORE, "agents/patterns"] },
  { at: "runs", about: "durable runs: journal, effects, leases, streams", rooms: [...CORE, "telemetry", "agents"] },
  { at: "models", about: "providers, routing between them, breaker, cost", rooms: OUTWARD },
  { at: "tools", about: "the tool registry and the tools", rooms: OUTWARD },
  { at: "memory", about: "what agents remember", rooms: OUTWARD },
  { at: "rag", about: "parsing, chunking, retrieval", rooms: OUTWARD },
  { at: "containers", about: "the Docker Engine driver", rooms: [...CORE, "telemetry"] },
  { at: "sandbox", about: "short-lived processes under a policy", rooms: [...OUTWARD, "containers"] },
  { at: "edges", about: "nodes that run agent containers", rooms: [...OUTWARD, "containers"] },
  { at: "doors", about: "the protocols through which clients come in", rooms: OUTWARD },
  { at: "store", about: "schema, migrations, dialects, repositories", rooms: [...CORE, "wire", "telemetry"] },
  { at: "net", about: "outgoing HTTP: pools, policies, SSE reader", rooms: [...CORE, "wire", "telemetry"] },
  { at: "telemetry", about: "logs, metrics, traces", rooms: CORE },
  { at: "cli", about: "one file per astromeshctl command", rooms: ["core", "wire", "config"], types: ["core/ports"] },

  { at: "agents/patterns", about: "loops over LoopContext; Temporal bundles them", rooms: CORE, pure: true },
  { at: "runs/engines/temporal/workflow*.ts", about: "what Temporal bundles", rooms: ["agents/patterns"], pure: true },
  ...MESH_CORE.map((name) => ({
    at: `mesh/${name}.ts`,
    about: "the protocol without I/O",
    rooms: CORE,
    pure: true,
  })),
];

/** A library and the places that may import it. `@scope/*` stands for every package of the scope. */
export interface LibraryPlace {
  readonly libraries: readonly string[];
  readonly places: readonly string[];
}

/** Each library has one home, so that replacing it is a change in one place. */
export const LIBRARIES: readonly LibraryPlace[] = [
  { libraries: ["@a2a-js/sdk"], places: ["doors/a2a", "tools/a2a-client.ts"] },
  { libraries: ["@astromesh/client"], places: ["cli"] },
  { libraries: ["@clack/prompts", "cli-table3", "picocolors"], places: ["cli"] },
  { libraries: ["@grpc/*", "grpc-health-check"], places: ["doors/grpc"] },
  { libraries: ["@modelcontextprotocol/*"], places: ["doors/mcp", "tools/mcp-client.ts"] },
  { libraries: ["@temporalio/*"], places: ["runs/engines/temporal"] },
  { libraries: ["ai", "@ai-sdk/*", "ollama", "node-llama-cpp"], places: ["models/providers"] },
  { libraries: ["ajv", "ajv-formats"], places: ["config", "tools/schema.ts"] },
  { libraries: ["better-sqlite3", "sqlite-vec"], places: ["store/dialects/sqlite*.ts"] },
  { libraries: ["commander"], places: ["bin", "cli"] },
  { libraries: ["dockerode"], places: ["containers"] },
  { libraries: ["gpt-tokenizer"], places: ["models/tokens.ts"] },
  { libraries: ["hono", "@hono/*", "ws", "swagger-ui-dist"], places: ["doors"] },
  { libraries: ["jose"], places: ["doors/auth.ts", "net/peer-auth.ts"] },
  { libraries: ["kysely"], places: ["store"] },
  { libraries: ["minijinja-js"], places: ["agents/template*.ts"] },
  { libraries: ["p-queue"], places: ["runs"] },
  { libraries: ["pg", "pgvector"], places: ["store/dialects/postgres*.ts"] },
  { libraries: ["pino", "pino-pretty", "@opentelemetry/*"], places: ["telemetry"] },
  { libraries: ["rate-limiter-flexible"], places: ["doors/rate-limit.ts", "tools/rate-limit.ts"] },
  { libraries: ["redis"], places: ["memory/redis.ts", "doors/rate-limit.ts"] },
  { libraries: ["undici", "cockatiel", "eventsource-parser"], places: ["net"] },
  { libraries: ["unix-dgram"], places: ["node"] },
  { libraries: ["unpdf", "mammoth", "turndown"], places: ["rag/parsers"] },
  { libraries: ["yaml"], places: ["config"] },
  { libraries: ["zod"], places: ["wire", "config"] },
  // The client package only; it has no other.
  { libraries: ["openapi-fetch"], places: [] },
];

/** What packages/client may import. It knows nothing of the runtime. */
export const CLIENT_LIBRARIES: readonly string[] = ["openapi-fetch", "eventsource-parser"];

/** What test files beside the sources may import in addition. */
export const TEST_LIBRARIES: readonly string[] = ["vitest", "fast-check"];

/** Folders deeper than this have no lint rules, so the tidy test refuses them: `room/a/b/file.ts` is the deepest. */
export const MAX_FOLDERS = 3;

/** The names of the rooms. */
export const ROOMS: readonly string[] = PLACES.map((place) => place.at).filter((at) => !at.includes("/"));

/** Folders whose `index.ts` other rooms may import. */
export const DOORS: readonly string[] = [...ROOMS.filter((room) => room !== "bin"), "core/ports", "agents/patterns"];

/** True when the file at `path` belongs to `at`, a folder or a file of it with `*` for part of a name. */
export function isAt(at: string, path: string): boolean {
  if (!at.endsWith(".ts")) return path.startsWith(`${at}/`);
  const [before = "", after] = at.split("*");
  return after === undefined
    ? path === at
    : path.startsWith(before) && path.endsWith(after) && !path.slice(before.length, -after.length).includes("/");
}

/** The innermost place that holds a file; undefined for a file in no room. */
export function placeOf(path: string): Place | undefined {
  return PLACES.findLast((place) => isAt(place.at, path));
}

/** The libraries that a file may import, in the spelling of LIBRARIES. */
export function librariesAt(path: string): string[] {
  return LIBRARIES.filter((entry) => entry.places.some((at) => isAt(at, path))).flatMap((entry) => entry.libraries);
}

/** True when `library`, perhaps `@scope/*`, stands for the package `name`. */
export function isLibrary(library: string, name: string): boolean {
  return library.endsWith("/*") ? name.startsWith(library.slice(0, -1)) : library === name;
}
