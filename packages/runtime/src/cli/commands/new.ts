import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { Option } from "commander";
import type { Command } from "commander";

import type { Leaf, Register } from "../command.ts";
import { CliError, EXIT } from "../exit.ts";
import { agentFile } from "../templates/agent.ts";
import { INIT_PROVIDERS } from "../templates/providers.ts";
import type { InitProvider } from "../templates/providers.ts";
import { toolEntry, toolProgram } from "../templates/tool.ts";

/** `new ..`: writes a file to begin from. */
export const registerNew: Register = (program, leaf) => {
  const group = program.command("new").description("Write a file to begin from");
  registerNewAgent(group, leaf);
  registerNewTool(group, leaf);
};

function registerNewAgent(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "agent",
    {
      summary: "Write agents/NAME.agent.yaml",
      examples: ["astromeshctl new agent support --provider ollama --model llama3.1:8b", "astromeshctl agents reload"],
    },
    async (session, [name = ""], options) => {
      requireName(name);
      const text = (key: string): string | undefined => options[key] as string | undefined;
      const model = text("model");
      const description = text("description");
      const content = agentFile({
        name,
        provider: (text("provider") ?? "ollama") as InitProvider,
        tools: options["tools"] !== false,
        ...(model === undefined ? {} : { model }),
        ...(description === undefined ? {} : { description }),
      });
      const path = resolve(session.io.cwd, text("dir") ?? "config", join("agents", `${name}.agent.yaml`));
      await writeNew(path, content, options["force"] === true);
      session.answer({ file: path }, () => `${session.style.good("wrote")} ${path}\n`);
    },
  )
    .argument("<name>", "the agent's name")
    .addOption(new Option("--provider <name>", "its model provider [ollama]").choices(INIT_PROVIDERS))
    .option("--model <name>", "its model [the provider's usual one]")
    .option("--description <text>", "what it is for")
    .option("--no-tools", "leave the tools out")
    .option("--dir <path>", "the configuration directory [./config]")
    .option("--force", "write over a file that is there");
}

function registerNewTool(group: Command, leaf: Leaf): void {
  leaf(
    group,
    "tool",
    {
      summary: "Write NAME.mjs, a tool that agents call by webhook, and show the entry for an agent's file",
      examples: ["astromeshctl new tool greeter", "TOOL_SECRET=change-me node greeter.mjs"],
    },
    async (session, [name = ""], options) => {
      requireName(name);
      const path = resolve(session.io.cwd, (options["dir"] as string | undefined) ?? ".", `${name}.mjs`);
      await writeNew(path, toolProgram(name), options["force"] === true);
      const entry = toolEntry(name);
      session.answer({ file: path, entry }, () =>
        [
          `${session.style.good("wrote")} ${path}\n\n`,
          "Under `tools:` of an agent that may call it:\n\n",
          entry,
          "\nStart the tool and the node with the same TOOL_SECRET.\n",
        ].join(""),
      );
    },
  )
    .argument("<name>", "the tool's name")
    .option("--dir <path>", "where to write [.]")
    .option("--force", "write over a file that is there");
}

function requireName(name: string): void {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name)) return;
  throw new CliError(EXIT.usage, `"${name}" is no name: use letters, digits, dots, dashes and underscores`);
}

async function writeNew(path: string, content: string, force: boolean): Promise<void> {
  if (existsSync(path) && !force) {
    throw new CliError(EXIT.usage, `already there: ${path}`, "Use --force to write over it.");
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
