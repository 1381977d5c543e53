import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { Option } from "commander";

import { ROLES } from "../../core/index.ts";
import type { Role } from "../../core/index.ts";
import type { Register } from "../command.ts";
import { CliError, EXIT } from "../exit.ts";
import type { Session } from "../session.ts";
import { agentFile } from "../templates/agent.ts";
import { INIT_PROVIDERS, providersFile } from "../templates/providers.ts";
import type { InitProvider } from "../templates/providers.ts";
import { runtimeFile } from "../templates/runtime.ts";

/** What `init` was told, by flags or answers. */
interface Choices {
  readonly directory: string;
  readonly role: Role;
  readonly provider: InitProvider;
  readonly development: boolean;
}

/** `init`: writes a configuration that starts as it is. */
export const registerInit: Register = (program, leaf) => {
  leaf(
    program,
    "init",
    {
      summary: "Write a configuration: runtime.yaml, providers.yaml and a first agent",
      examples: [
        "astromeshctl init --dev                       into ./config, for this machine only, without a key",
        "astromeshctl init --dir /etc/astromesh --role worker --provider ollama --yes",
      ],
    },
    async (session, _args, options) => {
      const choices = await choose(session, options);
      const written = await write(choices, options["force"] === true);
      session.answer({ directory: choices.directory, files: written.files, api_key: written.apiKey }, () =>
        [
          ...written.files.map((file) => `${session.style.good("wrote")} ${file}\n`),
          written.apiKey === null ? "" : `\nAPI key (also in runtime.yaml): ${session.style.strong(written.apiKey)}\n`,
          `\nStart it:  astromeshd --config ${choices.directory}\n`,
        ].join(""),
      );
    },
  )
    .option("--dir <path>", "where to write [./config]")
    .option("--dev", "for development on this machine: listen on loopback, no key, the offline model, no questions")
    .addOption(new Option("--role <role>", "what the node is for [full]").choices(ROLES))
    .addOption(new Option("--provider <name>", "the model provider of the first agent").choices(INIT_PROVIDERS))
    .option("--yes", "take the default for whatever is not given, ask nothing")
    .option("--force", "write over files that are there");
};

async function choose(session: Session, options: Readonly<Record<string, unknown>>): Promise<Choices> {
  const development = options["dev"] === true;
  const directory = resolve(session.io.cwd, typeof options["dir"] === "string" ? options["dir"] : "config");
  const ask = session.io.canAsk && !development && options["yes"] !== true && !session.json;
  const role = (options["role"] as Role | undefined) ?? (ask ? await askRole() : "full");
  const provider =
    (options["provider"] as InitProvider | undefined) ??
    (development ? "offline" : ask ? await askProvider() : "ollama");
  return { directory, role, provider, development };
}

async function askRole(): Promise<Role> {
  const { isCancel, select } = await import("@clack/prompts");
  const chosen = await select<Role>({
    message: "What is this node for?",
    options: [
      { value: "full", label: "full", hint: "everything on one machine" },
      { value: "gateway", label: "gateway", hint: "takes requests in and routes them" },
      { value: "worker", label: "worker", hint: "runs agents and tools" },
      { value: "inference", label: "inference", hint: "serves models" },
    ],
  });
  if (isCancel(chosen)) throw new CliError(EXIT.failed, "nothing was written");
  return chosen;
}

async function askProvider(): Promise<InitProvider> {
  const { isCancel, select } = await import("@clack/prompts");
  const chosen = await select<InitProvider>({
    message: "Which models?",
    options: [
      { value: "ollama", label: "Ollama", hint: "on this machine, http://localhost:11434" },
      { value: "openai", label: "OpenAI", hint: "key from OPENAI_API_KEY" },
      { value: "openai_compat", label: "an OpenAI-compatible server", hint: "vLLM, TGI, llama.cpp, LM Studio" },
      { value: "offline", label: "none yet", hint: "built-in rules that answer without a model" },
    ],
  });
  if (isCancel(chosen)) throw new CliError(EXIT.failed, "nothing was written");
  return chosen;
}

async function write(choices: Choices, force: boolean): Promise<{ files: readonly string[]; apiKey: string | null }> {
  const apiKey = choices.development ? null : `am_${randomBytes(32).toString("base64url")}`;
  const files: readonly (readonly [string, string])[] = [
    ["runtime.yaml", runtimeFile({ role: choices.role, development: choices.development, apiKey })],
    ["providers.yaml", providersFile(choices.provider)],
    [join("agents", "assistant.agent.yaml"), agentFile({ name: "assistant", provider: choices.provider, tools: true })],
  ];
  const taken = files.map(([name]) => join(choices.directory, name)).filter((path) => existsSync(path));
  if (taken.length > 0 && !force) {
    throw new CliError(EXIT.usage, `already there: ${taken.join(", ")}`, "Use --force to write over them.");
  }
  for (const [name, content] of files) {
    const path = join(choices.directory, name);
    await mkdir(dirname(path), { recursive: true });
    // runtime.yaml may hold a key, so nobody else may read it.
    await writeFile(path, content, { mode: name === "runtime.yaml" ? 0o600 : 0o644 });
  }
  return { files: files.map(([name]) => join(choices.directory, name)), apiKey };
}
