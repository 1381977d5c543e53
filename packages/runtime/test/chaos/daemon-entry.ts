/**
 * astromeshd with a death in its environment: the same node, but its process ends itself at a chosen write of its
 * database. `CHAOS_BUILT=1` takes what `npm run build` made instead of the sources.
 */
import { parseArgs } from "node:util";

import type * as NodeRoom from "../../src/node/index.ts";
import { parseDeath, withDeath } from "./death.ts";

const { values: flags } = parseArgs({ options: { config: { type: "string" }, port: { type: "string" } } });
const death = parseDeath(process.env["CHAOS_DEATH"]);
const built = process.env["CHAOS_BUILT"] === "1";
const node = (await import(built ? "../../dist/node/index.js" : "../../src/node/index.ts")) as typeof NodeRoom;
process.exit(await node.runDaemon(flags, death === null ? {} : { store: (store) => withDeath(store, death) }));
