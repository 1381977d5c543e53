/**
 * A campaign: clients order runs from one real node, whose process is killed again and again at chosen moments and
 * started again on the same data. The same seed gives the same kills and the same orders; what falls together in
 * time is the machine's.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { spawnFakeProvider } from "../fakes/fake-provider/index.ts";
import type { FakeProvider } from "../fakes/fake-provider/index.ts";
import { createTestNode } from "../harness/index.ts";
import type { TestNode } from "../harness/index.ts";
import type { DaemonCommand } from "./daemon.ts";
import { formatDeath } from "./death.ts";
import { BOUNDARY_PATIENCE_MS, describeKill, planKills } from "./kills.ts";
import type { Kill } from "./kills.ts";
import { createLoad } from "./load.ts";
import type { Load } from "./load.ts";
import { nodeFiles, scriptOf } from "./scenarios.ts";
import { createSeeded } from "./seeded.ts";
import type { Seeded } from "./seeded.ts";
import { startToolServer } from "./tool-server.ts";
import type { ToolServer } from "./tool-server.ts";
import { judge } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

/** What a campaign is told. */
export interface CampaignOptions {
  readonly kills: number;
  readonly seed: number;
  /** The PostgreSQL that the node works on; null: SQLite in its data directory. */
  readonly databaseUrl: string | null;
  /** What is started and killed. */
  readonly command: DaemonCommand;
  /** Told of every so many kills. */
  readonly progress: (line: string) => void;
}

/** A process of the node that is gone. */
export interface Life {
  readonly death: string;
  /** The moment that was chosen for its death came. */
  readonly reached: boolean;
  readonly output: string;
}

/** Everything that takes part. */
export interface Stage {
  readonly node: TestNode;
  readonly provider: FakeProvider;
  readonly tools: ToolServer;
  readonly load: Load;
  /** Oldest first. */
  readonly lives: Life[];
}

const CLIENTS = 8;
const PROGRESS_EVERY = 10;

/** Runs a campaign to its verdict. */
export async function runCampaign(options: CampaignOptions): Promise<Verdict> {
  const seeded = createSeeded(options.seed);
  const tools = await startToolServer();
  const provider = await spawnFakeProvider({ record: false });
  const node = createTestNode({
    name: "chaos",
    files: nodeFiles(provider.ollamaUrl, tools.url),
    command: options.command,
    env: options.databaseUrl === null ? {} : { DATABASE_URL: options.databaseUrl },
  });
  try {
    await provider.script(scriptOf(tools.url));
    await node.start();
    const load = createLoad({ url: () => node.url, seeded: seeded.fork("clients"), clients: CLIENTS, tools });
    const stage: Stage = { node, provider, tools, load, lives: [] };
    load.resume();
    await killAll(stage, options, seeded.fork("kills"));
    return await judge(stage);
  } finally {
    await node.dispose();
    await provider.stop();
    await tools.stop();
  }
}

async function killAll(stage: Stage, options: CampaignOptions, seeded: Seeded): Promise<void> {
  const startedAt = performance.now();
  // The first process is the one that serves already.
  let spawned: Promise<void> = Promise.resolve();
  for (const [index, kill] of planKills(options.kills, seeded).entries()) {
    if (index > 0) spawned = spawn(stage, kill);
    // Whoever needs it to serve waits for it; a death may come first.
    spawned.catch(() => {});
    const reached = await die(stage, kill, spawned);
    stage.lives.push({ death: describeKill(kill), reached, output: stage.node.child.output() });
    if ((index + 1) % PROGRESS_EVERY === 0) {
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
      options.progress(`kills ${index + 1}/${options.kills}  ${countOrders(stage)}  ${seconds} s`);
    }
  }
  await spawn(stage, null);
}

function countOrders({ load: { orders }, tools }: Stage): string {
  const accepted = orders.filter(({ runIds }) => runIds.size > 0).length;
  const effects = [...tools.records.values()].reduce((sum, record) => sum + record.effects, 0);
  return `orders ${orders.length}  accepted ${accepted}  effects ${effects}`;
}

/** Starts the node for its next life. Rejects when it does not come to serve, unless it is killed before. */
async function spawn(stage: Stage, kill: Kill | null): Promise<void> {
  await stage.node.start(kill?.at === "a write" ? { CHAOS_DEATH: formatDeath(kill.death) } : {});
}

/** Brings the process to its death. False when the chosen moment did not come, so that it died somewhere else. */
async function die(stage: Stage, kill: Kill, spawned: Promise<void>): Promise<boolean> {
  const { node } = stage;
  if (kill.at === "its start") {
    const served = await Promise.race([spawned.then(() => true), sleep(kill.afterMs, false)]);
    await node.kill();
    await spawned.catch(() => {});
    return !served;
  }
  if (kill.at === "a write") {
    const patience = sleep(BOUNDARY_PATIENCE_MS * 2, null, { ref: false });
    const end = await Promise.race([node.child.exited, patience]);
    if (end !== null && end !== "SIGKILL") throw new Error(`the node ended with ${end}:\n${node.child.output()}`);
    await node.kill();
    await spawned.catch(() => {});
    return end !== null;
  }
  await spawned;
  if (kill.at === "any time") await sleep(kill.afterMs);
  if (kill.at === "its end") {
    await sleep(kill.servesMs);
    node.child.kill("SIGTERM");
    await sleep(kill.afterMs);
  }
  if (kill.at === "the model") return dieAtModel(stage, kill.gate);
  if (kill.at === "a tool") return dieAtTool(stage, kill);
  await node.kill();
  return true;
}

async function dieAtModel({ node, provider }: Stage, gate: string): Promise<boolean> {
  await provider.hold(gate);
  const reached = await within(provider.reached(gate));
  await node.kill();
  await provider.release(gate);
  return reached;
}

async function dieAtTool({ node, tools }: Stage, kill: Extract<Kill, { at: "a tool" }>): Promise<boolean> {
  const held = tools.hold(kill.tool, kill.where);
  const reached = await within(held.reached);
  await node.kill();
  held.release({ drop: !kill.late });
  return reached;
}

async function within(reached: Promise<void>): Promise<boolean> {
  const done = reached.then(() => true);
  done.catch(() => {});
  return Promise.race([done, sleep(BOUNDARY_PATIENCE_MS, false, { ref: false })]);
}
