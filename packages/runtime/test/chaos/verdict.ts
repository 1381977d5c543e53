/** What a campaign comes to: its figures, and everything that broke a promise. */
import { setTimeout as sleep } from "node:timers/promises";

import { AstromeshApiError, createClient } from "@astromesh/client";
import type { AstromeshClient, Run } from "@astromesh/client";

import type { Stage } from "./campaign.ts";
import { judgeEffects, judgeRun, judgeSessions, judgeStream, judgeSubmissions } from "./checks.ts";
import type { Violation } from "./checks.ts";
import { runIdOf } from "./order.ts";
import type { Order } from "./order.ts";
import { clearUp } from "./people.ts";

/** The figures of a campaign. */
export interface Verdict {
  readonly kills: number;
  /** Kills whose chosen moment came. */
  readonly atBoundary: number;
  /** Runs that a client knows of. */
  readonly runs: number;
  readonly completed: number;
  readonly cancelled: number;
  /** Runs that waited for a person to say what became of a call, when the last kill was over. */
  readonly waitingForPerson: number;
  /** Accepted and gone, or neither ended nor waiting for a person when lease + 5 s were over. */
  readonly lost: number;
  readonly doubled: number;
  readonly mismatchedStreams: number;
  readonly violations: readonly Violation[];
  /** What to look at: the journals of offending runs and the log around them. */
  readonly artefacts: readonly string[];
}

/** The default lease of a node, and 5 s more: no run may be `running` for longer without anybody at work on it. */
const GRACE_MS = 15_000 + 5_000;
const LOOK_EVERY_MS = 100;
const MOST_ARTEFACTS = 4;
const LOG_TAIL_LINES = 40;

/** Lets the runs end, clears up what waits for a person, and compares all that is known. */
export async function judge(stage: Stage): Promise<Verdict> {
  const client = createClient({ url: stage.node.url });
  const servingSince = performance.now();
  const idle = stage.load.pause().then(() => true);
  const quiet = await Promise.race([idle, sleep(GRACE_MS, false, { ref: false })]);
  const accepted = stage.load.orders.filter(({ runIds }) => runIds.size > 0);
  const rows = new Map<Order, Run | null>();
  await settle(client, accepted, rows, servingSince + GRACE_MS, (run) => isEnded(run) || waitsForPerson(run));
  const parked = accepted.filter((order) => waitsForPerson(rows.get(order) ?? null));
  for (const [index, order] of parked.entries()) await clearUp(client, order, stage.tools, index % 3 === 0);
  await settle(client, parked, rows, performance.now() + GRACE_MS, isEnded);

  const violations: Violation[] = [...(await judgeSubmissions(client, stage.load.orders))];
  for (const order of accepted) {
    const run = rows.get(order) ?? null;
    violations.push(...judgeRun(order, run), ...judgeEffects(order, run, stage.tools.records));
    if (run !== null && isEnded(run)) violations.push(...(await judgeStream(client, order, run)));
  }
  violations.push(...(await judgeSessions(client, accepted, rows)));
  if (!quiet) violations.push({ kind: "incident", runId: null, what: "clients still waited for their runs" });
  const artefacts = await collectArtefacts(client, stage, violations);
  const exit = await stage.node.stop();
  if (exit !== 0) violations.push({ kind: "incident", runId: null, what: `the node ended with ${exit}` });
  return verdictOf(stage, [...rows.values()], parked.length, violations, artefacts);
}

/** Looks after the runs of orders until each has come to rest, or the deadline is over. */
async function settle(
  client: AstromeshClient,
  orders: readonly Order[],
  rows: Map<Order, Run | null>,
  deadline: number,
  rests: (run: Run) => boolean,
): Promise<void> {
  for (let left = [...orders]; left.length > 0;) {
    const restless: Order[] = [];
    for (const order of left) {
      const run = await find(client, runIdOf(order));
      rows.set(order, run);
      if (run !== null && !rests(run)) restless.push(order);
    }
    left = restless;
    if (performance.now() > deadline) return;
    if (left.length > 0) await sleep(LOOK_EVERY_MS);
  }
}

async function find(client: AstromeshClient, runId: string): Promise<Run | null> {
  try {
    return await client.runs.get(runId);
  } catch (error) {
    if (error instanceof AstromeshApiError && error.code === "run_not_found") return null;
    throw error;
  }
}

function isEnded({ status }: Run): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

function waitsForPerson(run: Run | null): boolean {
  return run?.status === "waiting" && run.wait_reason === "ambiguous";
}

function verdictOf(
  stage: Stage,
  rows: readonly (Run | null)[],
  parked: number,
  violations: readonly Violation[],
  artefacts: readonly string[],
): Verdict {
  const ended = (status: Run["status"]): number => rows.filter((run) => run?.status === status).length;
  const broken = (kind: Violation["kind"]): number => violations.filter((violation) => violation.kind === kind).length;
  return {
    kills: stage.lives.length,
    atBoundary: stage.lives.filter(({ reached }) => reached).length,
    runs: rows.length,
    completed: ended("completed"),
    cancelled: ended("cancelled"),
    waitingForPerson: parked,
    lost: broken("lost"),
    doubled: broken("doubled"),
    mismatchedStreams: broken("stream"),
    violations,
    artefacts,
  };
}

/** The journal of an offending run, its stream, its calls, and what the log of the node's lives says of it. */
async function collectArtefacts(
  client: AstromeshClient,
  stage: Stage,
  violations: readonly Violation[],
): Promise<string[]> {
  const runIds = [...new Set(violations.flatMap(({ runId }) => runId ?? []))].slice(0, MOST_ARTEFACTS);
  const artefacts: string[] = [];
  for (const runId of runIds) {
    const run = await find(client, runId);
    const journal = run === null ? null : await client.runs.journal(runId);
    const calls = [...stage.tools.records].filter(([key]) => key.startsWith(`${runId}:`));
    const lives = stage.lives.flatMap(({ death, output }, index) => {
      const lines = output.split("\n").filter((line) => line.includes(runId));
      return lines.length === 0 ? [] : [`life ${index + 1}, died ${death}:`, ...lines];
    });
    artefacts.push(
      [
        `== ${runId}`,
        JSON.stringify(run),
        ...(journal?.records ?? []).map((record) => JSON.stringify(record)),
        ...calls.map((call) => JSON.stringify(call)),
        ...lives,
      ].join("\n"),
    );
  }
  if (violations.length > 0) {
    artefacts.push(`== the log's end\n${stage.node.child.output().split("\n").slice(-LOG_TAIL_LINES).join("\n")}`);
  }
  return artefacts;
}
