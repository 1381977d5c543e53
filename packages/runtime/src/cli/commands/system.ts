import type { LogLine } from "@astromesh/client";

import { formatDuration, SERVICE_NAMES } from "../../core/index.ts";
import type { Register } from "../command.ts";
import { CliError, EXIT } from "../exit.ts";
import type { Style } from "../output/style.ts";
import { renderCard, renderTable } from "../output/table.ts";
import { untilAborted } from "../output/until-aborted.ts";

/** With --no-follow: how long the lines that are there may take to arrive. */
const BACKLOG_MS = 500;

/** `status`: what the node is and does. */
export const registerStatus: Register = (program, leaf) => {
  leaf(
    program,
    "status",
    { summary: "Show what the node is and does", examples: ["astromeshctl status", "astromeshctl status --json"] },
    async (session) => {
      const status = await (await session.client()).system.status();
      session.answer(status, () => {
        const { runs, store, services } = status;
        return renderCard(session.io, {
          title: "Astromesh Status",
          rows: [
            ["Version", status.version],
            ["Node", `${status.node.name} (${status.node.id})`],
            ["Role", status.role ?? "custom"],
            ["PID", String(status.pid)],
            ["Mode", status.mode],
            ["Uptime", formatDuration(status.uptime_seconds * 1_000)],
            [
              "Agents loaded",
              `${status.agents_loaded}${status.agents_rejected > 0 ? `, ${status.agents_rejected} broken` : ""}`,
            ],
            ["Services", SERVICE_NAMES.filter((name) => services[name]).join(", ")],
            ["Engine", status.engine],
            ["Store", store.ready ? store.kind : session.style.bad(`${store.kind}: ${store.reason ?? "not ready"}`)],
            ["Runs", `${runs.running} running, ${runs.queued} queued, ${runs.waiting} waiting`],
            ...(status.draining ? ([["Draining", session.style.warn("yes")]] as const) : []),
          ],
        });
      });
    },
  );
};

/** `doctor`: checks of everything the node stands on. */
export const registerDoctor: Register = (program, leaf) => {
  leaf(
    program,
    "doctor",
    { summary: "Check what the node stands on", examples: ["astromeshctl doctor"] },
    async (session) => {
      const report = await (await session.client()).system.doctor();
      const mark = {
        ok: session.style.good("ok"),
        warning: session.style.warn("warning"),
        error: session.style.bad("error"),
      };
      session.answer(
        report,
        () =>
          renderTable(session.io, {
            head: ["Check", "Status", "Message"],
            rows: report.checks.map((check) => [check.name, mark[check.status], check.message]),
            empty: "No checks.",
          }) + (report.healthy ? session.style.good("healthy\n") : session.style.bad("unhealthy\n")),
      );
      return report.healthy ? EXIT.ok : EXIT.failed;
    },
  );
};

/** `services`: which services the node enables. */
export const registerServices: Register = (program, leaf) => {
  leaf(
    program,
    "services",
    { summary: "Show which services the node enables", examples: ["astromeshctl services"] },
    async (session) => {
      const { services } = await (await session.client()).system.status();
      session.answer(services, () =>
        renderTable(session.io, {
          head: ["Service", "Status"],
          rows: SERVICE_NAMES.map((name) => [
            name,
            services[name] ? session.style.good("enabled") : session.style.dim("disabled"),
          ]),
          empty: "",
        }),
      );
    },
  );
};

/** `metrics`: the node's metrics in Prometheus' text. */
export const registerMetrics: Register = (program, leaf) => {
  leaf(
    program,
    "metrics",
    {
      summary: "Print the node's metrics",
      examples: ["astromeshctl metrics --filter astromesh_runs", "astromeshctl metrics"],
    },
    async (session, _args, options) => {
      const text = await (await session.client()).metrics();
      const filter = options["filter"] as string | undefined;
      const lines = text.split("\n").filter((line) => filter === undefined || line.includes(filter));
      session.answer(
        lines.filter((line) => line !== "" && !line.startsWith("#")),
        () => `${lines.join("\n").trimEnd()}\n`,
      );
    },
  ).option("--filter <text>", "only lines that hold this text");
};

/** `logs`: the node's log, as it grows. */
export const registerLogs: Register = (program, leaf) => {
  leaf(
    program,
    "logs",
    { summary: "Follow the node's log", examples: ["astromeshctl logs", "astromeshctl logs --level warn --no-follow"] },
    async (session, _args, options) => {
      const levels = ["debug", "info", "warn", "error"];
      const least = levels.indexOf((options["level"] as string | undefined) ?? "debug");
      const backlog = Number((options["lines"] as string | undefined) ?? 100);
      if (!Number.isInteger(backlog) || backlog < 0) throw new CliError(EXIT.usage, "--lines: expected a whole number");
      const client = await session.client();
      const end =
        options["follow"] === false
          ? AbortSignal.any([session.io.signal, AbortSignal.timeout(BACKLOG_MS)])
          : session.io.signal;
      for await (const line of untilAborted(client.logs({ backlog, signal: end }), end)) {
        if (levels.indexOf(line.level) < least) continue;
        const fields = Object.entries(line.fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
        session.io.out(
          session.json
            ? `${JSON.stringify(line)}\n`
            : `${session.style.dim(line.at)} ${levelText(session.style, line.level)} ${line.message}${session.style.dim(fields.join(""))}\n`,
        );
      }
    },
  )
    .option("--lines <n>", "how many of the last lines to begin with [100]")
    .option("--level <level>", "the least level to print: debug, info, warn, error [debug]")
    .option("--no-follow", "print what is there and stop");
};

function levelText(style: Style, level: LogLine["level"]): string {
  const text = level.padEnd(5);
  return level === "error" ? style.bad(text) : level === "warn" ? style.warn(text) : text;
}
