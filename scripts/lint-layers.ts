import {
  CLIENT_LIBRARIES,
  DOORS,
  isLibrary,
  LIBRARIES,
  librariesAt,
  type Place,
  PLACES,
  placeOf,
  ROOMS,
} from "./layers.ts";

/** One entry of a lint rule's `patterns`: gitignore-style globs, or a regular expression (without lookaround). */
type Pattern = { readonly message: string } & (
  | { readonly group: readonly string[] }
  | { readonly regex: string; readonly allowTypeImports?: true }
);

interface Override {
  readonly files: readonly string[];
  readonly rules: { readonly "no-restricted-imports": readonly ["error", { readonly patterns: readonly Pattern[] }] };
}

const SRC = "packages/runtime/src";
const SEE = "See scripts/layers.ts.";
const ALL_LIBRARIES = LIBRARIES.flatMap((entry) => entry.libraries);

/**
 * The layer rules as an oxlint configuration: one override per place. A later override replaces an earlier one as a
 * whole, so wider places come first and each entry says everything.
 *
 * The rule sees only the text between the quotes, so `../runs/` always means the room, even where a folder of the same
 * name is nearer. The tidy test resolves imports and is exact.
 */
export function renderLintLayers(): string {
  const lines = [...places().flatMap(overridesOf), ...outside()].map((entry) => JSON.stringify(entry));
  return `{"overrides":[\n${lines.join(",\n")}\n]}\n`;
}

/** Places with rules of their own: those of the drawing, and the homes of libraries inside them. */
function places(): string[] {
  const homes = LIBRARIES.flatMap((entry) => entry.places);
  return [...new Set([...PLACES.map((place) => place.at), ...homes])].toSorted(
    (a, b) => a.split("/").length - b.split("/").length,
  );
}

function overridesOf(at: string): Override[] {
  const isFile = at.endsWith(".ts");
  const sample = isFile ? at : `${at}/x.ts`;
  const place = placeOf(sample);
  if (place === undefined) throw new Error(`${at} lies in no place of the drawing`);
  const files = `${SRC}/${isFile ? at : `${at}/**/*.ts`}`;
  const libraries = libraryPattern(at, librariesAt(sample));
  const sources = override(files, [...roomPatterns(place), libraries, ...worldPatterns(place)]);
  if (place.pure !== true && place.types === undefined) return [sources];
  // Tests run where Node is, and may use values of what the source knows as types.
  const tested: Place = { ...place, rooms: [...place.rooms, ...(place.types ?? [])], types: [] };
  return [sources, override(files.replace(/\.ts$/, ".test.ts"), [...roomPatterns(tested), libraries])];
}

function override(files: string, patterns: readonly Pattern[]): Override {
  return { files: [files], rules: { "no-restricted-imports": ["error", { patterns }] } };
}

/** Which rooms, and only through their doors. */
function roomPatterns(place: Place): Pattern[] {
  const own = place.at.split("/")[0] ?? "";
  const types = place.types ?? [];
  const doors = [...place.rooms, ...types];
  const rooms = new Set(doors.map((door) => door.split("/")[0] ?? door));
  const strange = ROOMS.filter((room) => room !== own && !rooms.has(room));
  const message = `${place.at} may import ${listed(doors)}, each through its index.ts. Other rooms come through a port of core/ports, which node/ wires. ${SEE}`;
  const patterns: Pattern[] = [];
  if (types.length > 0) {
    // First: a negated glob that fits ends the search.
    patterns.push({
      regex: `^(?:\\.\\./)+(?:${types.join("|")})/`,
      allowTypeImports: true,
      message: `${place.at} imports only types from ${listed(types)}. ${SEE}`,
    });
  }
  patterns.push({ regex: `^(?:\\.\\./)+(?:${strange.join("|")})/`, message });
  if (doors.length > 0) {
    const group = [...rooms].map((room) => `../**/${room}/**`);
    patterns.push({ group: [...group, ...doors.map((door) => `!../**/${door}/index.ts`)], message });
  }
  return patterns;
}

function libraryPattern(at: string, libraries: readonly string[]): Pattern {
  return {
    regex: anyOf(ALL_LIBRARIES.filter((library) => !libraries.includes(library))),
    message: `The libraries of ${at} are ${listed(libraries)}: each library has one home, and the others use what it offers. ${SEE}`,
  };
}

/** A pure place touches no Node built-ins, and of its own room only what is pure as well. */
function worldPatterns(place: Place): Pattern[] {
  if (place.pure !== true) return [];
  const message = `${place.at} is pure: no Node built-ins, and nothing of its room that is not pure. Take what it needs as an argument. ${SEE}`;
  const patterns: Pattern[] = [{ regex: "^node:", message }];
  const folder = place.at.slice(0, place.at.lastIndexOf("/") + 1);
  if (place.at.endsWith(".ts")) {
    const pure = PLACES.filter(({ at, pure: is }) => is === true && at.startsWith(folder) && at.endsWith(".ts"));
    patterns.push({ group: ["./**", ...pure.map(({ at }) => `!./${at.slice(folder.length)}`)], message });
  } else if (folder !== "") patterns.push({ regex: "^\\.\\./[^.]", message });
  return patterns;
}

/** Rules for what stands beside the rooms: tests, scripts and the bench use doors; the client knows no runtime. */
function outside(): Override[] {
  const doorsOnly: Pattern = {
    group: ["**/src/**", ...DOORS.map((door) => `!**/src/${door}/index.ts`)],
    message: `A room is imported through its index.ts only. ${SEE}`,
  };
  const foreign = ALL_LIBRARIES.filter((library) => !CLIENT_LIBRARIES.some((own) => isLibrary(library, own)));
  return [
    ...["packages/runtime/test/**/*.ts", "scripts/**/*.ts", "bench/**/*.ts"].map((files) =>
      override(files, [doorsOnly]),
    ),
    override("packages/client/src/**/*.ts", [
      { group: ["**/runtime/**"], message: `The client imports nothing of the runtime. ${SEE}` },
      { regex: anyOf(foreign), message: `The client's libraries are ${listed(CLIENT_LIBRARIES)}. ${SEE}` },
    ]),
  ];
}

/** A pattern for these packages and for files in them. */
function anyOf(libraries: readonly string[]): string {
  return `^(?:${libraries.map((library) => library.replaceAll(".", "\\.").replace("/*", "/[^/]+")).join("|")})(?:/|$)`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(", ");
}
