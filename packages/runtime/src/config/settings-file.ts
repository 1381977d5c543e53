import { isJsonObject, type Json, type JsonObject, SERVICE_NAMES } from "../core/index.ts";
import { type Fault, formatPath, type Path } from "./fault.ts";
import { type Layer, namedLayer, sourceLayer } from "./layers.ts";
import { faultAt, nodeAt, type Source } from "./located.ts";
import { nodeFile, type NodeSpec } from "./node-schema.ts";
import { noticesOf } from "./not-yet.ts";
import { readSource } from "./read-source.ts";
import { runtimeFile, runtimeSections } from "./runtime-schema.ts";
import { suggestion } from "./suggest.ts";
import { validateSource, withoutRepeats } from "./validate.ts";
import { expandSource, type Variables } from "./variables.ts";

/** What a settings file (runtime.yaml, a profile, a NodeConfig) says. */
export interface SettingsFile {
  readonly layers: readonly Layer[];
  /** The file's own sections when it is a NodeConfig, and where they stand. */
  readonly node: { readonly spec: NodeSpec; readonly source: Source } | null;
  readonly notices: readonly Fault[];
  readonly warnings: readonly Fault[];
  readonly faults: readonly Fault[];
}

const NOTHING: SettingsFile = { layers: [], node: null, notices: [], warnings: [], faults: [] };
const KINDS = ["RuntimeConfig", "NodeConfig"] as const;

/** Reads a settings file. `label` is the origin of its values in lists; null gives each value's own place. */
export function readSettingsFile(
  file: string,
  options: { readonly label: string | null; readonly env: Variables; readonly cwd: string },
): SettingsFile {
  const read = readSource(file, options.cwd);
  if (read.source === null) return { ...NOTHING, faults: read.faults };
  const expanded = expandSource(read.source, options.env, { keeps: isProviderKey });
  const { source } = expanded;
  const kind = nodeAt(source.root, ["kind"]);
  const word = kind?.kind === "scalar" ? kind.value : null;
  const settings =
    word === "NodeConfig"
      ? readNode(source, options.label)
      : word === "RuntimeConfig"
        ? readRuntime(source, options.label)
        : { ...NOTHING, faults: [wrongKind(source, word)] };
  return { ...settings, faults: [...expanded.faults, ...withoutRepeats(settings.faults, expanded.faults)] };
}

/** A NodeConfig's provider keys stay references, as everywhere. */
function isProviderKey(path: Path): boolean {
  return path[1] === "llm_providers" && path[3] === "api_key";
}

function wrongKind(source: Source, word: Json): Fault {
  const got = typeof word === "string" ? `, got "${word.slice(0, 40)}"${suggestion(word, KINDS)}` : "";
  return faultAt(source, ["kind"], `expected one of ${KINDS.join(", ")}${got}`);
}

function readRuntime(source: Source, label: string | null): SettingsFile {
  const checked = validateSource(runtimeFile, source);
  if (!checked.ok) return { ...NOTHING, faults: checked.faults };
  const tree = specOf(checked.given);
  const layer = sourceLayer(tree, source, { label, inside: (path) => ["spec", ...path] });
  return { ...NOTHING, layers: [layer], notices: noticesOf(source, "RuntimeConfig") };
}

function readNode(source: Source, label: string | null): SettingsFile {
  const checked = validateSource(nodeFile, source);
  if (!checked.ok) return { ...NOTHING, faults: checked.faults };
  const { spec, metadata } = checked.value;
  const given = specOf(checked.given);
  const mesh = isJsonObject(given["mesh"]) ? given["mesh"] : {};
  const named = mesh["node_name"] !== undefined;
  const sections = Object.fromEntries(Object.entries(given).filter(([key]) => Object.hasOwn(runtimeSections, key)));
  const tree = {
    ...sections,
    mesh: { node_name: metadata.name, ...mesh },
    node: traitsOf(given["node"]),
  };
  const inside = (path: Path): Path =>
    formatPath(path) === "mesh.node_name" && !named ? ["metadata", "name"] : ["spec", ...path];
  return {
    layers: [typeLayer(spec.node.type), sourceLayer(tree, source, { label, inside })],
    node: { spec, source },
    notices: noticesOf(source, "NodeConfig"),
    warnings: missingDependencies(source, spec, given),
    faults: [],
  };
}

function specOf(file: Json): JsonObject {
  const spec = isJsonObject(file) ? file["spec"] : undefined;
  return isJsonObject(spec) ? spec : {};
}

function traitsOf(node: Json | undefined): JsonObject {
  if (!isJsonObject(node)) return {};
  return Object.fromEntries(Object.entries(node).filter(([key]) => key !== "id" && key !== "type"));
}

/** What a machine's type means for the settings, below what its file says. */
function typeLayer(type: NodeSpec["node"]["type"]): Layer {
  const edge = Object.fromEntries(SERVICE_NAMES.map((name) => [name, name === "observability"]));
  // An edge has no public API; the other two listen on the ports of their guide.
  const tree: JsonObject =
    type === "edge" ? { api: { host: "127.0.0.1" }, services: edge } : { api: { port: 8080, grpc_port: 50_051 } };
  const label = `node type ${type}`;
  return namedLayer(tree, { api: label, services: label });
}

/** Edges take their dependencies from the orchestrator, which has to name them. */
function missingDependencies(source: Source, spec: NodeSpec, given: JsonObject): Fault[] {
  if (spec.node.type !== "orchestrator") return [];
  return ["llm_providers", "storage"]
    .filter((key) => given[key] === undefined)
    .map((key) => faultAt(source, ["spec", key], "an orchestrator should name its external dependencies"));
}
