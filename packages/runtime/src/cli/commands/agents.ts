import type { Command } from "commander";

import type { Leaf, Register } from "../command.ts";
import { EXIT } from "../exit.ts";
import { oneLine } from "../output/format.ts";
import { renderTable } from "../output/table.ts";
import { validateFiles } from "./validate-files.ts";

/** `agents ..`: what the node can run. */
export const registerAgents: Register = (program, leaf) => {
  const group = program.command("agents").description("List, show, check and reload agents");
  registerList(group, leaf);
  registerShow(group, leaf);
  registerValidate(group, leaf);
  registerReload(group, leaf);
};

function registerList(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "list",
    { summary: "List the agents, those whose file is broken too", examples: ["astromeshctl agents list"] },
    async (session) => {
      const list = await (await session.client()).agents.list();
      session.answer(
        list,
        () =>
          renderTable(session.io, {
            head: ["Name", "Version", "Status", "Pattern", "Model", "Tools", "Source"],
            rows: list.agents.map((agent) => [
              agent.name,
              agent.version ?? "-",
              agent.status === "ready" ? session.style.good("ready") : session.style.bad(agent.status),
              agent.pattern ?? "-",
              agent.model === null ? "-" : `${agent.model.provider}/${agent.model.model}`,
              oneLine(agent.tools.join(", "), 40),
              agent.source,
            ]),
            empty: "No agents.",
          }) +
          list.agents.flatMap(({ errors }) => errors.map((error) => `${session.style.bad("✗")} ${error}\n`)).join(""),
      );
    },
  );
}

function registerShow(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "show",
    { summary: "Show an agent's whole definition, defaults filled in", examples: ["astromeshctl agents show default"] },
    async (session, [name = ""]) => {
      const agent = await (await session.client()).agents.get(name);
      session.answer(agent, () => {
        const notes = [
          ...agent.errors.map((error) => `${session.style.bad("✗")} ${error}\n`),
          ...agent.notices.map((notice) => `${session.style.warn("!")} ${notice}\n`),
        ];
        return `${JSON.stringify(agent.definition, null, 2)}\n${notes.join("")}`;
      });
    },
  ).argument("<name>", "the agent");
}

function registerValidate(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "validate",
    {
      summary: "Check the agent files of a configuration, without a node",
      examples: ["astromeshctl agents validate", "astromeshctl agents validate /etc/astromesh"],
    },
    (session, [path]) => validateFiles(session, path ?? null),
  ).argument("[path]", "the configuration directory or file [where astromeshd would look]");
}

function registerReload(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "reload",
    {
      summary: "Read agents, providers and settings from their files again",
      examples: ["astromeshctl agents reload"],
    },
    async (session) => {
      const report = await (await session.client()).system.reload();
      session.answer(report, () =>
        [
          report.applied
            ? `${session.style.good("reloaded")}: ${report.agents} agents, generation ${report.generation}\n`
            : `${session.style.bad("nothing was changed")}\n`,
          ...report.errors.map((error) => `${session.style.bad("✗")} ${error}\n`),
        ].join(""),
      );
      return report.applied && report.errors.length === 0 ? EXIT.ok : EXIT.failed;
    },
  );
}
