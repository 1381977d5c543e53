import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of this package: the nearest with a package.json, from the sources and from whatever the build makes. */
export function packageFolder(from: string = dirname(fileURLToPath(import.meta.url))): string {
  return existsSync(join(from, "package.json")) ? from : packageFolder(dirname(from));
}
