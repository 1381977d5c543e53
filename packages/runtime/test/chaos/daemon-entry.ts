/** astromeshd with a death in its environment: the same node, but its process ends itself at a chosen write. */
import { parseArgs } from "node:util";

import { runDaemon } from "../../src/node/index.ts";
import { parseDeath, withDeath } from "./death.ts";

const { values: flags } = parseArgs({ options: { config: { type: "string" }, port: { type: "string" } } });
const death = parseDeath(process.env["CHAOS_DEATH"]);
process.exit(await runDaemon(flags, death === null ? {} : { store: (store) => withDeath(store, death) }));
