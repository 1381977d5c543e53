import { SERVICE_NAMES } from "../core/index.ts";
import { nodeUrl } from "./addresses.ts";
import type { Path } from "./fault.ts";
import type { RuntimeSpec } from "./runtime-schema.ts";
import { durationMs } from "./schema-parts.ts";

/** Something about a setting that only the whole of the settings shows. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** The same seen from the other setting, for when only that one was set. */
  readonly otherwise?: Finding;
}

/** What is wrong between settings that are right by themselves. */
export function checkSettings(spec: RuntimeSpec): Finding[] {
  const { mesh, store, api } = spec;
  return [
    ...inOrder(mesh, "heartbeat_interval", "failure_timeout"),
    ...inOrder(mesh, "gossip_interval", "failure_timeout"),
    ...inOrder(mesh, "failure_timeout", "dead_timeout"),
    ...mesh.seeds.flatMap((seed, index) => addressFinding(seed, ["mesh", "seeds", index])),
    ...(mesh.advertise === null ? [] : addressFinding(mesh.advertise, ["mesh", "advertise"])),
    ...(store.type === "postgres" && store.url === null
      ? [{ path: ["store", "type"], message: "postgres needs store.url or DATABASE_URL" }]
      : []),
    ...(api.grpc_port !== null && api.grpc_port !== 0 && api.grpc_port === api.port
      ? [{ path: ["api", "grpc_port"], message: "must differ from api.port" }]
      : []),
    ...repeated(api.auth.keys.map((key) => key.name)).map((index) => ({
      path: ["api", "auth", "keys", index, "name"],
      message: "another key has this name",
    })),
    ...repeated(api.auth.keys.map((key) => key.key)).map((index) => ({
      path: ["api", "auth", "keys", index, "key"],
      message: "another name has the same key",
    })),
    ...repeated(spec.peers.map((peer) => peer.name)).map((index) => ({
      path: ["peers", index, "name"],
      message: "another peer has this name",
    })),
  ];
}

/** What works and is probably not meant. */
export function warnAbout(spec: RuntimeSpec): Finding[] {
  const { services, api } = spec;
  const without = (name: "tools" | "memory"): Finding[] =>
    services.agents && !services[name]
      ? [{ path: ["services", name], message: `agents run here without ${name}` }]
      : [];
  const short = api.auth.keys.flatMap((key, index) =>
    key.key.length < 16 ? [{ path: ["api", "auth", "keys", index, "key"], message: "shorter than 16 characters" }] : [],
  );
  const idle = SERVICE_NAMES.every((name) => !services[name])
    ? [{ path: ["services"], message: "every service is off" }]
    : [];
  return [...without("tools"), ...without("memory"), ...short, ...idle];
}

type MeshTimer = "heartbeat_interval" | "gossip_interval" | "failure_timeout" | "dead_timeout";

function inOrder(mesh: RuntimeSpec["mesh"], lower: MeshTimer, upper: MeshTimer): Finding[] {
  if (durationMs(mesh[lower]) < durationMs(mesh[upper])) return [];
  const otherwise = { path: ["mesh", lower], message: `must be below mesh.${upper} (${mesh[upper]})` };
  return [{ path: ["mesh", upper], message: `must be above mesh.${lower} (${mesh[lower]})`, otherwise }];
}

function addressFinding(address: string, path: Path): Finding[] {
  return nodeUrl(address) === null ? [{ path, message: "expected host:port or an http:// address" }] : [];
}

/** The indexes of values that stand in the list before. */
function repeated(values: readonly string[]): number[] {
  return values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []));
}
