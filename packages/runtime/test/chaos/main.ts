/**
 * `npm run chaos -- [--kills 200] [--seed N] [--lane sqlite|postgres] [--json]`: builds the node, kills it that often
 * at chosen moments under load, and says what was lost, done twice or told wrong. Exit code 1 when anything was.
 */
import { parseArgs } from "node:util";

import { startPostgres } from "../fakes/embedded-postgres.ts";
import { runCampaign } from "./campaign.ts";
import { buildDaemon } from "./daemon.ts";
import type { Verdict } from "./verdict.ts";

const { values: flags } = parseArgs({
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    lane: { type: "string", default: "sqlite" },
    json: { type: "boolean", default: false },
  },
});
const [kills, seed] = [Number(flags.kills), Number(flags.seed)];
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed) || !["sqlite", "postgres"].includes(flags.lane)) {
  console.error("usage: npm run chaos -- [--kills COUNT] [--seed WHOLE_NUMBER] [--lane sqlite|postgres] [--json]");
  process.exit(2);
}

const command = await buildDaemon();
const postgres = flags.lane === "postgres" ? await startPostgres() : null;
try {
  console.error(`seed ${seed}, lane ${flags.lane}, ${kills} kills`);
  const verdict = await runCampaign({
    kills,
    seed,
    databaseUrl: (await postgres?.createDatabase()) ?? null,
    command,
    progress: (line) => console.error(line),
  });
  if (flags.json) console.log(JSON.stringify({ seed, lane: flags.lane, ...verdict }));
  else print(verdict);
  process.exitCode = verdict.violations.length === 0 ? 0 : 1;
} finally {
  await postgres?.stop();
}

function print(verdict: Verdict): void {
  for (const artefact of verdict.artefacts) console.error(artefact);
  for (const { kind, runId, what } of verdict.violations) console.error(`${kind}  ${runId ?? "-"}  ${what}`);
  console.log(
    [
      `kills ${verdict.kills} (${verdict.atBoundary} at the chosen moment)`,
      `runs ${verdict.runs}`,
      `completed ${verdict.completed}`,
      `cancelled ${verdict.cancelled}`,
      `waiting for a person ${verdict.waitingForPerson}`,
      `lost ${verdict.lost}`,
      `doubled ${verdict.doubled}`,
      `mismatched streams ${verdict.mismatchedStreams}`,
      `violations ${verdict.violations.length}`,
      `seed ${seed}`,
    ].join("  "),
  );
}
