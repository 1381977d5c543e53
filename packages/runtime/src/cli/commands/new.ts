import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { Option } from "commander";

import { CliError, EXIT } from "../exit.ts";
import type { Register } from "../program.ts";
import { agentFile } from "../templates/agent.ts";
import { INIT_PROVIDERS } from "../templates/providers.ts";
import type { InitProvider } from "../templates/providers.ts";

/** `new agent`: writes an agent file to begin from. */
export const registerNew: Register = (program, leaf) => {
  const group = program.command("new").description("Write a file to begin from");
  leaf(
    group,
    "agent",
    {
      summary: "Write agents/NAME.agent.yaml",
      examples: ["astromeshctl new agent support --provider ollama --model llama3.1:8b", "astromeshctl agents reload"],
    },
    async (session, [name = ""], options) => {
      if (!/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name)) {
        throw new CliError(EXIT.usage, `"${name}" is no name: use letters, digits, dots, dashes and underscores`);
      }
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
      if (existsSync(path) && options["force"] !== true) {
        throw new CliError(EXIT.usage, `already there: ${path}`, "Use --force to write over it.");
      }
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
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
};
