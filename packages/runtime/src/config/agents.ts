import { readdirSync } from "node:fs";
import { basename, join } from "node:path";

import type { RejectedAgent } from "../core/index.ts";
import type { LoadedAgent } from "../core/ports/index.ts";
import { type AgentContext, checkAgent, digestOf, nameIn } from "./agent-check.ts";
import { DEFAULT_AGENT, defaultAgent } from "./default-agent.ts";
import { type Fault, formatFaults, shownPath } from "./fault.ts";
import { faultAt } from "./located.ts";
import { readSource } from "./read-source.ts";
import type { LiteralSecret } from "./secrets.ts";

/** The agents of a folder. */
export interface LoadedAgents {
  /** Valid ones by name, and the built-in `default` unless a file has that name. */
  readonly agents: readonly LoadedAgent[];
  readonly rejected: readonly RejectedAgent[];
  /** Keys that stand in the files; for `createSecretResolver`. */
  readonly secrets: readonly LiteralSecret[];
  /** About files that are no agents. */
  readonly notices: readonly string[];
}

const AGENT_FILE = /\.agent\.ya?ml$/;

/**
 * Loads every *.agent.yaml of a folder. A bad file is reported and left out, the others load; of two files with one
 * name the later (by file name) is the bad one. A folder that does not exist, or null, holds none.
 */
export function loadAgents(dir: string | null, context: AgentContext & { readonly cwd: string }): LoadedAgents {
  const names = listFolder(dir);
  const agents = new Map<string, LoadedAgent>();
  const rejected: RejectedAgent[] = [];
  const secrets: LiteralSecret[] = [];
  for (const name of names.filter((file) => AGENT_FILE.test(file))) {
    const loaded = loadFile(join(dir ?? "", name), context, agents);
    if ("errors" in loaded) rejected.push(loaded);
    else {
      agents.set(loaded.agent.definition.name, loaded.agent);
      secrets.push(...loaded.secrets);
    }
  }
  // A file that means to override the built-in agent and is wrong must not leave another agent under its name.
  const overridden = agents.has(DEFAULT_AGENT) || rejected.some((agent) => agent.name === DEFAULT_AGENT);
  if (!overridden) agents.set(DEFAULT_AGENT, defaultAgent(context));
  const notices = names
    .filter((file) => /\.ya?ml$/.test(file) && !AGENT_FILE.test(file))
    .map((file) => `${shownPath(join(dir ?? "", file), context.cwd)} ignored: agent files are named *.agent.yaml`);
  const sorted = [...agents.values()].toSorted((a, b) => a.definition.name.localeCompare(b.definition.name, "en"));
  return { agents: sorted, rejected, secrets, notices };
}

function listFolder(dir: string | null): string[] {
  if (dir === null) return [];
  try {
    return readdirSync(dir).toSorted();
  } catch {
    return [];
  }
}

function loadFile(
  path: string,
  context: AgentContext & { readonly cwd: string },
  earlier: ReadonlyMap<string, LoadedAgent>,
): { readonly agent: LoadedAgent; readonly secrets: readonly LiteralSecret[] } | RejectedAgent {
  const file = shownPath(path, context.cwd);
  const fallback = basename(path).replace(AGENT_FILE, "");
  const reject = (name: string, faults: readonly Fault[]): RejectedAgent => ({
    name,
    file,
    errors: formatFaults(faults),
  });
  const { source, faults } = readSource(path, context.cwd);
  if (source === null) return reject(fallback, faults);
  const checked = checkAgent(source, context);
  const { definition } = checked;
  if (definition === null) return reject(nameIn(source) ?? fallback, checked.faults);
  const first = earlier.get(definition.name)?.file;
  if (first !== undefined) {
    const message = `agent "${definition.name}" is defined in ${first} already`;
    return reject(definition.name, [faultAt(source, ["metadata", "name"], message)]);
  }
  const notices = formatFaults(checked.notices);
  return {
    agent: { definition, digest: digestOf(definition), source: "file", file, notices },
    secrets: checked.secrets,
  };
}
