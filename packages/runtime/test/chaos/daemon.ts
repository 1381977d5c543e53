import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

import { build } from "tsdown";

import shipped from "../../tsdown.config.ts";

/** How a node is started that can be told to die; it takes the daemon's flags. */
export type DaemonCommand = readonly [string, readonly string[]];

const ENTRY = fileURLToPath(new URL("./daemon-entry.ts", import.meta.url));
const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

/** From the sources. */
export function daemonFromSources(): DaemonCommand {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return [process.execPath, ["--import", tsx, ENTRY]];
}

/** Bundled as the one that ships is: it starts in a third of the time. */
export async function buildDaemon(): Promise<DaemonCommand> {
  const entry = { ...(shipped.entry as Record<string, string>), "bin/daemon": ENTRY };
  // Beside `dist`: the node looks for its package.json from there.
  await build({ ...shipped, entry, config: false, cwd: PACKAGE, outDir: "dist-chaos" });
  return [process.execPath, [`${PACKAGE}dist-chaos/bin/daemon.js`]];
}
