import { dirname } from "node:path";

import {
  CLIENT_LIBRARIES,
  DOORS,
  isAt,
  isLibrary,
  librariesAt,
  type Place,
  placeOf,
  TEST_LIBRARIES,
} from "../../../../scripts/layers.ts";
import { type Import, importsOf, isTest, packageOf, type RepositoryFile, SRC } from "./repository.ts";

/** What breaks the drawing: `file imports x: why`. */
export function layerFaults(files: readonly RepositoryFile[]): string[] {
  const paths = new Set(files.map((file) => file.path));
  return files
    .filter((file) => file.path.endsWith(".ts"))
    .flatMap((file) =>
      importsOf(file).flatMap((found) => {
        const fault = faultOf(file.path, found, paths);
        return fault === null ? [] : [`${file.path} imports ${found.specifier}: ${fault}`];
      }),
    );
}

function faultOf(path: string, found: Import, paths: ReadonlySet<string>): string | null {
  if (path.startsWith(`${SRC}/`)) return roomFault(path, found, paths);
  if (path.startsWith("packages/client/src/")) return clientFault(path, found);
  return found.target === null ? null : doorFault(path, found.target, paths);
}

function clientFault(path: string, { specifier, target }: Import): string | null {
  if (target !== null) return target.startsWith("packages/client/") ? null : "the client stands alone";
  const libraries = isTest(path) ? [...CLIENT_LIBRARIES, ...TEST_LIBRARIES] : CLIENT_LIBRARIES;
  if (isTest(path) && specifier.startsWith("node:")) return null;
  return libraries.includes(packageOf(specifier)) ? null : "not a library of the client";
}

function roomFault(path: string, { specifier, target }: Import, paths: ReadonlySet<string>): string | null {
  const file = path.slice(SRC.length + 1);
  const place = placeOf(file);
  if (place === undefined) return "the file lies in no room";
  if (target !== null) return targetFault(path, place, target, paths);
  if (specifier.startsWith("node:")) return place.pure === true && !isTest(path) ? `${place.at} is pure` : null;
  const name = packageOf(specifier);
  const libraries = isTest(path) ? [...librariesAt(file), ...TEST_LIBRARIES] : librariesAt(file);
  return libraries.some((library) => isLibrary(library, name)) ? null : `not a library of ${dirname(file)}`;
}

function targetFault(path: string, place: Place, target: string, paths: ReadonlySet<string>): string | null {
  if (target === "packages/runtime/package.json") return null;
  if (!target.startsWith(`${SRC}/`)) {
    return isTest(path) && target.startsWith("packages/runtime/test/") ? null : "outside the sources";
  }
  const wanted = target.slice(SRC.length + 1);
  if (isAt(place.at, wanted) && placeOf(wanted) === place) return doorFault(path, target, paths);
  const door = DOORS.find((folder) => wanted === `${folder}/index.ts`);
  if (door !== undefined && [...place.rooms, ...(place.types ?? [])].includes(door)) return null;
  const sameRoom = wanted.split("/")[0] === place.at.split("/")[0];
  if (!sameRoom) return door === undefined ? "not a room's door" : `${place.at} may not import ${door}`;
  if (place.pure === true && placeOf(wanted)?.pure !== true) return `${place.at} is pure`;
  return doorFault(path, target, paths);
}

/** Each fake stands for itself: a test that wants a clock should not load every fake server. */
const FAKES = "packages/runtime/test/fakes";

/** A folder that has an index.ts is entered through it. */
function doorFault(path: string, target: string, paths: ReadonlySet<string>): string | null {
  const folders = target.split("/").slice(0, -1);
  const entered = folders
    .map((_, depth) => folders.slice(0, depth + 1).join("/"))
    .filter((folder) => folder !== FAKES && !path.startsWith(`${folder}/`) && paths.has(`${folder}/index.ts`));
  const [outermost] = entered;
  if (outermost === undefined || target === `${outermost}/index.ts`) return null;
  if (DOORS.some((door) => target === `${SRC}/${door}/index.ts`)) return null;
  return `${outermost}/index.ts is the door`;
}
