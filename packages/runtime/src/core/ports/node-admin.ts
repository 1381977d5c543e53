import type { Json, JsonObject } from "../json.ts";
import type { NodeIdentity, Role, Services } from "../node.ts";
import type { RunStatus } from "../run.ts";

/** What `GET /v1/system/status` says of a node. */
export interface SystemStatus {
  readonly version: string;
  readonly node: NodeIdentity;
  readonly role: Role | null;
  /** `system` when the configuration is /etc/astromesh, else `dev`. */
  readonly mode: "system" | "dev";
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly services: Services;
  readonly agentsLoaded: number;
  readonly agentsRejected: number;
  readonly engine: "journal" | "temporal";
  readonly store: { readonly kind: "sqlite" | "postgres"; readonly ready: boolean; readonly reason: string | null };
  readonly runs: Readonly<Record<RunStatus, number>>;
  readonly draining: boolean;
  readonly peers: readonly JsonObject[];
  readonly mesh: JsonObject | null;
}

/** One check of `doctor`. */
export interface DoctorCheck {
  readonly name: string;
  readonly status: "ok" | "warning" | "error";
  readonly message: string;
}

/** A model provider as the node sees it. */
export interface ProviderStatus {
  readonly name: string;
  readonly type: string;
  readonly endpoint: string | null;
  readonly ok: boolean;
  readonly message: string;
  readonly models: readonly string[];
  readonly breaker: "closed" | "open" | "half_open";
}

/** What a reload did. */
export interface ReloadReport {
  readonly generation: number;
  readonly agents: number;
  /** `file:line:col message`; when any concern runtime.yaml or providers.yaml, nothing was changed. */
  readonly errors: readonly string[];
  readonly applied: boolean;
}

/** One setting, its value (secrets hidden) and who set it. */
export interface ConfigEntry {
  readonly path: string;
  readonly value: Json;
  /** Such as `default`, `profile full`, `/etc/astromesh/runtime.yaml:4:7`, `ASTROMESH_ROLE`, `--port`. */
  readonly origin: string;
}

/** A line of the node's log. */
export interface LogLine {
  readonly at: number;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: JsonObject;
}

/** What operators ask of a node. */
export interface NodeAdmin {
  status(): Promise<SystemStatus>;
  doctor(signal: AbortSignal): Promise<readonly DoctorCheck[]>;
  /** Empty when ready; otherwise what is missing, in words. */
  unready(): readonly string[];
  reload(): Promise<ReloadReport>;
  config(): readonly ConfigEntry[];
  providers(signal: AbortSignal): Promise<readonly ProviderStatus[]>;
  /** The last `backlog` lines, then lines as they come, until the signal aborts. */
  logs(backlog: number, signal: AbortSignal): AsyncIterable<LogLine>;
  /** Prometheus text. */
  metrics(): Promise<string>;
}
