import { createTemplates } from "../agents/index.ts";
import type { ConfigInput } from "../config/index.ts";
import { readSnapshot } from "./snapshot.ts";
import type { Snapshot } from "./snapshot.ts";
import { createSystemClock } from "./system.ts";

/** What `astromeshd --check` found. */
export interface CheckReport {
  /** `file:line:col message`; empty when the node would start with every agent. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly notices: readonly string[];
  readonly agents: readonly string[];
  readonly providers: readonly string[];
}

/** Validates everything that a node would be told: settings, providers, agents and their prompts. Starts nothing. */
export async function checkConfiguration(input: ConfigInput): Promise<CheckReport> {
  const read = readSnapshot(input);
  if (!read.ok) return { errors: read.errors, warnings: [], notices: [], agents: [], providers: [] };
  const { agents, rejected, warnings, notices, providers } = read.snapshot;
  return {
    errors: [...rejected.flatMap(({ errors }) => errors), ...(await checkPrompts(agents))],
    warnings,
    notices: [...notices, ...agents.flatMap((agent) => agent.notices)],
    agents: agents.map(({ definition }) => definition.name),
    providers: [...providers.providers.keys()],
  };
}

/** The report as text, one finding a line. */
export function formatCheck(report: CheckReport): string {
  const { errors, warnings, notices, agents, providers } = report;
  const lines = [
    ...errors.map((error) => `error: ${error}`),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...notices.map((notice) => `note: ${notice}`),
    errors.length > 0
      ? `${errors.length} error${errors.length === 1 ? "" : "s"}`
      : `ok: ${agents.length} agents (${agents.join(", ")}), ${providers.length} providers (${providers.join(", ")})`,
  ];
  return `${lines.join("\n")}\n`;
}

async function checkPrompts(agents: Snapshot["agents"]): Promise<string[]> {
  const templates = createTemplates({ clock: createSystemClock() });
  try {
    const faults = await Promise.all(
      agents.map(async ({ definition, file }) => {
        const { system, templates: named } = definition.prompts;
        const found = await templates.check({ ...named, system });
        return found.map(({ template, line, message }) => {
          const place = template === "system" ? "spec.prompts.system" : `spec.prompts.templates.${template}`;
          return `${file ?? definition.name} ${place}: line ${line} of the template: ${message}`;
        });
      }),
    );
    return faults.flat();
  } finally {
    await templates.stop();
  }
}
