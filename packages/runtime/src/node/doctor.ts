import { statfs } from "node:fs/promises";

import type { NodeConfig } from "../config/index.ts";
import type { Catalog, DoctorCheck, Peer, ProviderStatus, StoreStatus } from "../core/ports/index.ts";
import type { LoopHealth } from "../telemetry/index.ts";

/** What doctor looks at. */
export interface DoctorInput {
  readonly config: NodeConfig;
  /** Of the configuration that is in force. */
  readonly warnings: readonly string[];
  readonly catalog: Catalog;
  readonly store: StoreStatus;
  readonly providers: readonly ProviderStatus[];
  readonly peers: readonly Peer[];
  readonly loop: LoopHealth;
  /** How the data directory is locked. */
  readonly lock: "flock" | "pid";
}

const GIB = 1024 ** 3;
/** Below the first a person should look, below the second runs are about to fail. */
const DISK_WARNING_BYTES = GIB;
const DISK_ERROR_BYTES = GIB / 16;
const LOOP_WARNING_MS = 100;

/** Examines a node: one line per thing that can be wrong, with what to do about it. */
export async function examine(input: DoctorInput): Promise<readonly DoctorCheck[]> {
  const checks = [
    checkConfig(input),
    checkAgents(input.catalog),
    checkStore(input.store),
    await checkDisk(input.config.places.dataDir),
    checkModels(input.providers),
    ...input.providers.map(checkProvider),
    ...input.peers.map(checkPeer),
    ...(input.peers.length > 0 ? [checkSignature(input.config)] : []),
    checkAccess(input.config),
    checkLock(input.lock),
    checkLoop(input.loop),
  ];
  return checks;
}

/** True when the API can be reached from other machines. */
export function isOpenToOthers(host: string): boolean {
  return !/^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);
}

function checkConfig({ config, warnings }: DoctorInput): DoctorCheck {
  const where = config.places.configFile ?? `profile ${config.profile}`;
  const message = [where, ...warnings].join("; ");
  return { name: "configuration", status: warnings.length === 0 ? "ok" : "warning", message };
}

function checkAgents({ agents, rejected }: Catalog): DoctorCheck {
  if (rejected.length === 0) return { name: "agents", status: "ok", message: `${agents.size} loaded` };
  const errors = rejected.flatMap((agent) => agent.errors).join("; ");
  return { name: "agents", status: "error", message: `${agents.size} loaded, ${rejected.length} not: ${errors}` };
}

function checkStore(store: StoreStatus): DoctorCheck {
  const message = store.ready ? `${store.kind} is ready` : `${store.kind} is not ready: ${store.reason}`;
  return { name: "store", status: store.ready ? "ok" : "error", message };
}

async function checkDisk(directory: string): Promise<DoctorCheck> {
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  const status = freeBytes < DISK_ERROR_BYTES ? "error" : freeBytes < DISK_WARNING_BYTES ? "warning" : "ok";
  return { name: "disk", status, message: `${(freeBytes / GIB).toFixed(1)} GiB free in ${directory}` };
}

function checkModels(providers: readonly ProviderStatus[]): DoctorCheck {
  const real = providers.filter(({ type, ok }) => ok && type !== "offline");
  if (real.length > 0) return { name: "models", status: "ok", message: real.map(({ name }) => name).join(", ") };
  const message = "only the built-in offline model answers; start Ollama, or set OPENAI_API_KEY";
  return { name: "models", status: "warning", message };
}

function checkProvider({ name, ok, message, breaker }: ProviderStatus): DoctorCheck {
  const resting = breaker === "closed" ? "" : ` (breaker ${breaker})`;
  return { name: `provider ${name}`, status: ok ? "ok" : "warning", message: `${message}${resting}` };
}

function checkPeer({ name, url, status, nodeId, services }: Peer): DoctorCheck {
  const offers = services.length === 0 ? "offers none of the services named in spec.peers" : services.join(", ");
  if (status === "alive" || status === "draining") {
    const isWell = status === "alive" && services.length > 0;
    return { name: `peer ${name}`, status: isWell ? "ok" : "warning", message: `${url} is ${status}: ${offers}` };
  }
  const message = nodeId === null ? `${url} has not answered yet` : `${url} does not answer (${status})`;
  return { name: `peer ${name}`, status: "warning", message };
}

/** Why calls between nodes are not safe from others on the network; null when they are signed. */
export function unsignedPeers({ mesh }: Pick<NodeConfig, "mesh">): string | null {
  if (mesh.secrets.length > 0) return null;
  return "nodes do not sign what they say to each other, so anybody on this network can speak for one; set ASTROMESH_MESH_SECRET on all of them";
}

function checkSignature(config: NodeConfig): DoctorCheck {
  const message = unsignedPeers(config);
  return { name: "peer signatures", status: message === null ? "ok" : "warning", message: message ?? "signed" };
}

function checkAccess({ api }: NodeConfig): DoctorCheck {
  if (api.keys.length > 0) {
    return { name: "access", status: "ok", message: `${api.keys.length} API keys` };
  }
  if (!isOpenToOthers(api.host)) return { name: "access", status: "ok", message: "open, on this machine only" };
  const message = `no API keys, and the API listens on ${api.host}: anybody who reaches it can run agents`;
  return { name: "access", status: "warning", message };
}

function checkLock(kind: DoctorInput["lock"]): DoctorCheck {
  if (kind === "flock") return { name: "data directory", status: "ok", message: "locked for this node" };
  const message = "flock(1) is missing, so the lock does not hold between containers that share the directory";
  return { name: "data directory", status: "warning", message };
}

function checkLoop({ p99Ms, maxMs }: LoopHealth): DoctorCheck {
  const message = `main thread late by ${p99Ms.toFixed(0)} ms (p99), at most ${maxMs.toFixed(0)} ms`;
  return { name: "main thread", status: p99Ms > LOOP_WARNING_MS ? "warning" : "ok", message };
}
