import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { temporaryDirectory } from "../fakes/temporary-directory.ts";
import { daemonCommand, waitFor } from "../harness/index.ts";
import { agentFile, testNode, testProvider } from "./test-node.ts";

/** strace is there and may trace what it starts. */
const traces = spawnSync("strace", ["-f", "-e", "trace=fdatasync", process.execPath, "--version"]).status === 0;

/** What the kernel did for a node between two system calls that tell of a request. */
interface Answered {
  /** Syncs that ended well after the request was read and before its 202 was written. */
  readonly syncs: number;
}

/** Reads a trace: for each request that was answered with 202, in order. */
function answersIn(trace: string): Answered[] {
  const answers: Answered[] = [];
  let syncs: number | null = null;
  for (const line of trace.split("\n")) {
    if (line.includes('"POST /v1/runs')) syncs = 0;
    else if (/(?:fdatasync|fsync)(?:\(\d+\)| resumed>\)) += 0/.test(line) && syncs !== null) syncs += 1;
    else if (line.includes('"HTTP/1.1 202') && syncs !== null) {
      answers.push({ syncs });
      syncs = null;
    }
  }
  return answers;
}

test.skipIf(!traces)(
  "a run is synced to disk before its 202 goes out (needs strace)",
  { timeout: 60_000 },
  async () => {
    const provider = await testProvider();
    const trace = join(temporaryDirectory(), "trace");
    const [command, args] = daemonCommand();
    // -D: the tracer stands aside, so that the node is our child and takes our signals.
    const strace = ["-D", "-f", "-s", "24", "-e", "trace=read,write,writev,fdatasync,fsync", "-o", trace];
    const node = testNode({
      files: { "agents/a.agent.yaml": agentFile("a", provider) },
      command: ["strace", [...strace, command, ...args]],
    });
    await node.start();
    // The runs before a request stand still while it is answered: no sync of theirs is taken for its own.
    await provider.hold("request");
    const requests = 20;
    for (let index = 0; index < requests; index += 1) {
      const response = await node.fetch("/v1/runs", { json: { agent: "a", query: `question ${index}` } });
      expect(response.status).toBe(202);
    }
    expect(await node.stop()).toBe(0);
    const answers = await waitFor("the whole trace", () => {
      const found = answersIn(readFileSync(trace, "utf8"));
      return found.length === requests && found;
    });
    expect(answers.filter(({ syncs }) => syncs < 1)).toEqual([]);
  },
);
