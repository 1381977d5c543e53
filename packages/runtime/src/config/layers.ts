import { isJsonObject, type Json, type JsonObject } from "../core/index.ts";
import type { ConfigEntry } from "../core/ports/index.ts";
import type { Finding } from "./checks.ts";
import { type Fault, formatPath, type Path } from "./fault.ts";
import { positionOf, type Source } from "./located.ts";
import { hideSecrets } from "./secrets.ts";

/** Settings from one place, under the names of runtime.yaml. Later layers win over earlier ones. */
export interface Layer {
  readonly tree: JsonObject;
  /** Who set the value at a path that the tree holds. */
  origin(path: Path): Origin;
}

/** Who set a value. */
export interface Origin {
  /** As `config show --origin` prints it. */
  readonly label: string;
  /** Where its text stands, if it has one. */
  readonly place: { readonly source: Source; readonly path: Path } | null;
}

/** The origin of what nobody set. */
const DEFAULT: Origin = { label: "default", place: null };

/** Objects are merged key by key; anything else (lists too) is replaced as a whole. */
export function mergeLayers(layers: readonly Layer[]): JsonObject {
  return layers.reduce<JsonObject>((merged, layer) => mergeObjects(merged, layer.tree), {});
}

function mergeObjects(lower: JsonObject, upper: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...lower };
  for (const [key, value] of Object.entries(upper)) {
    const below = merged[key];
    merged[key] = isJsonObject(below) && isJsonObject(value) ? mergeObjects(below, value) : value;
  }
  return merged;
}

/** Who set the value at a path: the highest layer that has it. */
export function originOf(layers: readonly Layer[], path: Path): Origin {
  return layers.findLast((layer) => holds(layer.tree, path))?.origin(path) ?? DEFAULT;
}

function holds(tree: JsonObject, path: Path): boolean {
  let value: Json | undefined = tree;
  for (const part of path) {
    // Inside a list or a plain value: this layer set all of it.
    if (!isJsonObject(value)) return value !== undefined;
    value = value[part];
  }
  return value !== undefined;
}

/** A fault about a merged setting, placed where it was set. */
export function faultOf(layers: readonly Layer[], finding: Finding): Fault {
  const { path, message, otherwise } = finding;
  const origin = originOf(layers, path);
  if (origin === DEFAULT && otherwise !== undefined) return faultOf(layers, otherwise);
  if (origin === DEFAULT) return { file: null, at: null, path: ["spec", ...path], message };
  if (origin.place === null) {
    return { file: null, at: null, path: [origin.label], message: `${formatPath(["spec", ...path])}: ${message}` };
  }
  const { source, path: inside } = origin.place;
  return { file: source.file, at: positionOf(source.root, inside), path: ["spec", ...path], message };
}

/** Every setting with its value (secrets hidden) and who set it, in the order of the schema. */
export function listSettings(settings: JsonObject, layers: readonly Layer[]): ConfigEntry[] {
  const hidden = hideSecrets(settings) as JsonObject;
  return leaves(hidden, []).map(([path, value]) => ({
    path: formatPath(path),
    value,
    origin: originOf(layers, path).label,
  }));
}

function leaves(value: Json, path: Path): [Path, Json][] {
  if (!isJsonObject(value) || (Object.keys(value).length === 0 && path.length > 0)) return [[path, value]];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, [...path, key]));
}

/** A layer from a file: origins are `label`, or the text's own place. */
export function sourceLayer(
  tree: JsonObject,
  source: Source,
  options: { readonly label: string | null; readonly inside: (path: Path) => Path },
): Layer {
  return {
    tree,
    origin: (path) => {
      const inside = options.inside(path);
      const at = positionOf(source.root, inside);
      const label = options.label ?? `${source.file}:${at?.line ?? 1}:${at?.col ?? 1}`;
      return { label, place: { source, path: inside } };
    },
  };
}

/** A layer whose values each have a name of their own: variables, flags. */
export function namedLayer(tree: JsonObject, names: Readonly<Record<string, string>>): Layer {
  return {
    tree,
    origin: (path) => {
      // The name may stand for a whole list or object around the path.
      for (let length = path.length; length > 0; length -= 1) {
        const label = names[formatPath(path.slice(0, length))];
        if (label !== undefined) return { label, place: null };
      }
      return DEFAULT;
    },
  };
}
