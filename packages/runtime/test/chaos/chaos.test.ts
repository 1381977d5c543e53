import { expect, test } from "vitest";

import { runCampaign } from "./campaign.ts";
import { daemonFromSources } from "./daemon.ts";

test(
  "a node that is killed once in each of the ways loses nothing and does nothing twice",
  { timeout: 120_000 },
  async () => {
    const verdict = await runCampaign({
      kills: 6,
      seed: 7,
      databaseUrl: null,
      command: daemonFromSources(),
      progress: () => {},
    });
    expect(verdict.violations, verdict.artefacts.join("\n")).toEqual([]);
    expect(verdict).toMatchObject({ kills: 6, lost: 0, doubled: 0, mismatchedStreams: 0 });
    expect(verdict.atBoundary).toBeGreaterThanOrEqual(4);
    expect(verdict.completed).toBeGreaterThan(0);
  },
);
