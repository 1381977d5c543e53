import type { Run } from "@astromesh/client";
import { Option } from "commander";
import type { Command } from "commander";

import { FINAL_STATUSES } from "../../core/index.ts";
import type { Leaf, Register } from "../command.ts";
import { CliError, EXIT } from "../exit.ts";
import { ago, money, oneLine, runStatusText } from "../output/format.ts";
import { printEvents } from "../output/live-run.ts";
import { renderCard, renderTable } from "../output/table.ts";
import { untilAborted } from "../output/until-aborted.ts";
import type { Session } from "../session.ts";
import { reportRun } from "./run.ts";

/** `runs ..`: what has run, what runs, and steering it. */
export const registerRuns: Register = (program, leaf) => {
  const group = program.command("runs").description("List, watch and steer runs");
  registerList(group, leaf);
  registerShow(group, leaf);
  registerWatch(group, leaf);
  registerSteering(group, leaf);
};

function registerList(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "list",
    {
      summary: "List runs, newest first",
      examples: ["astromeshctl runs list --status waiting", "astromeshctl runs list --agent default --limit 5 --json"],
    },
    async (session, _args, options) => {
      const client = await session.client();
      const text = (key: string): string | undefined => options[key] as string | undefined;
      const limit = Number(text("limit") ?? 20);
      if (!Number.isInteger(limit) || limit < 1) throw new CliError(EXIT.usage, "--limit: expected a number above 0");
      const page = await client.runs.list({
        limit,
        ...given({ agent: text("agent"), status: text("status"), session: text("session"), cursor: text("cursor") }),
      });
      session.answer(page, () => listTable(session, page.runs) + more(page.next_cursor));
    },
  )
    .option("--agent <name>", "only this agent's")
    .addOption(
      new Option("--status <status>", "only these").choices(["queued", "running", "waiting", ...FINAL_STATUSES]),
    )
    .option("--session <id>", "only this session's")
    .option("--limit <n>", "at most so many [20]")
    .option("--cursor <cursor>", "go on where a page ended");
}

function given(options: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function listTable(session: Session, runs: readonly Run[]): string {
  const now = Date.now();
  return renderTable(session.io, {
    head: ["Run", "Agent", "Status", "Started", "Tokens", "Cost", "Answer"],
    rows: runs.map((run) => [
      run.run_id,
      run.agent,
      runStatusText(session.style, run.status),
      ago(run.created_at, now),
      String(run.usage.input_tokens + run.usage.output_tokens),
      money(run.usage.cost_usd),
      oneLine(run.error?.detail ?? run.response ?? run.wait_reason ?? "", 40),
    ]),
    empty: "No runs.",
  });
}

function more(cursor: string | null): string {
  return cursor === null ? "" : `More: --cursor ${cursor}\n`;
}

function registerShow(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "show",
    {
      summary: "Show one run",
      examples: ["astromeshctl runs show run_01k..", "astromeshctl runs show run_01k.. --journal"],
    },
    async (session, [runId = ""], options) => {
      const client = await session.client();
      const run = await client.runs.get(runId);
      if (options["journal"] !== true) {
        session.answer(run, () => card(session, run));
        return;
      }
      const journal = await client.runs.journal(runId);
      session.answer(journal, () =>
        renderTable(session.io, {
          head: ["Seq", "Position", "Phase", "Kind", "Class", "Attempt", "At"],
          rows: journal.records.map((record) => [
            String(record.seq),
            `${record.segment}:${record.position}`,
            record.phase,
            record.kind,
            record.effect_class ?? "",
            String(record.attempt),
            record.at,
          ]),
          empty: "The journal is empty.",
        }),
      );
    },
  )
    .argument("<run>", "the run's id")
    .option("--journal", "show its journal instead");
}

function card(session: Session, run: Run): string {
  const rows: [string, string][] = [
    ["Agent", run.agent],
    ["Status", runStatusText(session.style, run.status) + (run.stop_reason === null ? "" : ` (${run.stop_reason})`)],
    ["Session", run.session_id],
    ["Started", run.created_at],
    ["Ended", run.ended_at ?? "-"],
    ["Attempts", String(run.attempt)],
    ["Model", run.model === null ? "-" : `${run.provider}/${run.model}`],
    ["Tokens", `${run.usage.input_tokens} in, ${run.usage.output_tokens} out`],
    ["Cost", money(run.usage.cost_usd)],
    ["Trace", run.trace_id],
  ];
  if (run.wait_reason !== undefined) rows.push(["Waits for", run.wait_reason]);
  if (run.error !== undefined) rows.push(["Error", `${run.error.code}: ${run.error.detail}`]);
  return `${renderCard(session.io, { title: run.run_id, rows })}${run.response === null ? "" : `\n${run.response}\n`}`;
}

function registerWatch(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "watch",
    {
      summary: "Follow a run from its start to its end",
      examples: ["astromeshctl runs watch run_01k..", "astromeshctl runs watch run_01k.. --json"],
    },
    async (session, [runId = ""]) => {
      const client = await session.client();
      const { signal } = session.io;
      await printEvents(session, untilAborted(client.events(runId, { signal }), signal));
      return reportRun(session, await client.runs.get(runId), true);
    },
  ).argument("<run>", "the run's id");
}

function registerSteering(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "cancel",
    { summary: "Stop a run", examples: ["astromeshctl runs cancel run_01k.."] },
    async (session, [runId = ""]) => {
      const run = await (await session.client()).runs.cancel(runId);
      session.answer(run, () => `${run.run_id}: ${run.status === "cancelled" ? "cancelled" : "cancelling"}\n`);
    },
  ).argument("<run>", "the run's id");
  for (const verdict of ["approve", "reject"] as const) {
    leaf(
      group,
      verdict,
      {
        summary: `${verdict === "approve" ? "Allow" : "Refuse"} what a waiting run asks for`,
        examples: [`astromeshctl runs ${verdict} run_01k.. --reason "checked with the customer"`],
      },
      async (session, [runId = ""], options) => {
        const client = await session.client();
        const reason = options["reason"] as string | undefined;
        const position = options["position"] as string | undefined;
        const body = { ...given({ reason, position }) };
        const run = await (verdict === "approve" ? client.runs.approve(runId, body) : client.runs.reject(runId, body));
        session.answer(run, () => `${run.run_id}: ${verdict === "approve" ? "approved" : "rejected"}\n`);
      },
    )
      .argument("<run>", "the run's id")
      .option("--reason <text>", "told to the agent and kept in the journal")
      .option("--position <position>", "which call, when several wait");
  }
}
