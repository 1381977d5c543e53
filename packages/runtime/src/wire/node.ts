import { z } from "zod";

import { ROLES, SERVICE_NAMES } from "../core/index.ts";
import type { DoctorCheck, LogLine, ProviderStatus, ReloadReport, SystemStatus } from "../core/ports/index.ts";
import { jsonObject, jsonValue, timestamp, toTimestamp } from "./json.ts";
import { runStatus } from "./run-status.ts";

/** The short health answer. */
export const healthBody = z.object({ status: z.literal("healthy"), version: z.string() }).meta({ id: "Health" });

/** The health answer under /v1. */
export const healthDetail = z.object({ ...healthBody.shape, uptime_seconds: z.number() }).meta({ id: "HealthDetail" });

/** Whether the node takes work. */
export const readyBody = z
  .object({
    status: z.enum(["ready", "not_ready"]),
    detail: z.string(),
    reasons: z.array(z.string()).meta({ description: "What is missing; empty when ready" }),
  })
  .meta({ id: "Ready" });

/** A node's state. */
export const systemStatus = z
  .object({
    version: z.string(),
    node: z.object({ id: z.string(), name: z.string(), boot: z.number() }),
    role: z.enum(ROLES).nullable(),
    mode: z.enum(["system", "dev"]),
    pid: z.number(),
    uptime_seconds: z.number(),
    services: z.record(z.enum(SERVICE_NAMES), z.boolean()),
    agents_loaded: z.number(),
    agents_rejected: z.number(),
    engine: z.enum(["journal", "temporal"]),
    store: z.object({ kind: z.enum(["sqlite", "postgres"]), ready: z.boolean(), reason: z.string().nullable() }),
    runs: z.record(runStatus, z.number()),
    draining: z.boolean(),
    peers: z.array(jsonObject),
    mesh: jsonObject.nullable(),
  })
  .meta({ id: "SystemStatus" });

/** A node's state on the wire. */
export function systemStatusToWire(status: SystemStatus): z.infer<typeof systemStatus> {
  return {
    version: status.version,
    node: { id: status.node.nodeId, name: status.node.name, boot: status.node.boot },
    role: status.role,
    mode: status.mode,
    pid: status.pid,
    uptime_seconds: status.uptimeSeconds,
    services: { ...status.services },
    agents_loaded: status.agentsLoaded,
    agents_rejected: status.agentsRejected,
    engine: status.engine,
    store: { ...status.store },
    runs: { ...status.runs },
    draining: status.draining,
    peers: status.peers.map((peer) => ({ ...peer })),
    mesh: status.mesh === null ? null : { ...status.mesh },
  };
}

/** What `doctor` found. */
export const doctorBody = z
  .object({
    healthy: z.boolean().meta({ description: "No check is an error" }),
    checks: z.array(z.object({ name: z.string(), status: z.enum(["ok", "warning", "error"]), message: z.string() })),
  })
  .meta({ id: "Doctor" });

/** The checks of `doctor` on the wire. */
export function doctorToWire(checks: readonly DoctorCheck[]): z.infer<typeof doctorBody> {
  return {
    healthy: checks.every((check) => check.status !== "error"),
    checks: checks.map(({ name, status, message }) => ({ name, status, message })),
  };
}

/** What a reload did. */
export const reloadBody = z
  .object({
    applied: z.boolean(),
    generation: z.number(),
    agents: z.number(),
    errors: z.array(z.string()).meta({ description: "`file:line:col message`" }),
  })
  .meta({ id: "Reload" });

/** A reload on the wire. */
export function reloadToWire(report: ReloadReport): z.infer<typeof reloadBody> {
  return {
    applied: report.applied,
    generation: report.generation,
    agents: report.agents,
    errors: [...report.errors],
  };
}

/** The model providers as the node sees them. */
export const providerList = z
  .object({
    providers: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        endpoint: z.string().nullable(),
        ok: z.boolean(),
        message: z.string(),
        models: z.array(z.string()),
        breaker: z.enum(["closed", "open", "half_open"]),
      }),
    ),
  })
  .meta({ id: "ProviderList" });

/** Providers on the wire. */
export function providersToWire(providers: readonly ProviderStatus[]): z.infer<typeof providerList> {
  return {
    providers: providers.map(({ name, type, endpoint, ok, message, models, breaker }) => ({
      name,
      type,
      endpoint,
      ok,
      message,
      models: [...models],
      breaker,
    })),
  };
}

/** The node's settings and who set them; secrets hidden. */
export const configBody = z
  .object({ settings: z.array(z.object({ path: z.string(), value: jsonValue, origin: z.string() })) })
  .meta({ id: "Config" });

/** A line of the node's log. */
export const logLine = z
  .object({
    at: timestamp,
    level: z.enum(["debug", "info", "warn", "error"]),
    message: z.string(),
    fields: jsonObject,
  })
  .meta({ id: "LogLine" });
/** See `logLine`. */
export type LogLineBody = z.infer<typeof logLine>;

/** A log line on the wire. */
export function logLineToWire(line: LogLine): LogLineBody {
  return { at: toTimestamp(line.at), level: line.level, message: line.message, fields: { ...line.fields } };
}
