import { runCli } from "../packages/runtime/src/cli/index.ts";
import { ERROR_CODES } from "../packages/runtime/src/core/index.ts";
import type { ErrorCode } from "../packages/runtime/src/core/index.ts";
import { REST_ERRORS } from "../packages/runtime/src/doors/index.ts";
import { METRICS } from "../packages/runtime/src/telemetry/index.ts";
import { fakeCliIo } from "../packages/runtime/test/fakes/fake-cli-io.ts";

const MADE = "<!-- Made by `npm run gen` from the sources. Do not edit. -->";

/** docs/reference/errors.md: every error code, its HTTP status, whether to try again, what it means. */
export function renderErrors(): string {
  const rows = (Object.keys(ERROR_CODES) as ErrorCode[])
    .toSorted((a, b) => REST_ERRORS[a].status - REST_ERRORS[b].status || a.localeCompare(b))
    .map((code) => {
      const { retryable, meaning } = ERROR_CODES[code];
      return `| \`${code}\` | ${REST_ERRORS[code].status} | ${retryable ? "yes" : "no"} | ${escapeCell(meaning)} |`;
    });
  return `# Error codes

${MADE}

Every error of the API is JSON: \`{"detail": text, "code": code, ..}\`. The text is for people and may change; the code
never changes its meaning. "Again" says whether the same request may succeed later; where the node knows when, it says
so in \`Retry-After\`. The same codes stand in the \`error\` of a failed run and in the \`error\` event of its stream.

| code | HTTP | again | meaning |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
}

/** docs/reference/metrics.md: every metric of /metrics. */
export function renderMetrics(): string {
  const rows = Object.values(METRICS).map(
    ({ name, kind, unit, labels, help }) =>
      `| \`${name}\` | ${kind} | ${escapeCell(unit)} | ${labels.map((label) => `\`${label}\``).join(" ")} | ${escapeCell(help)} |`,
  );
  return `# Metrics

${MADE}

\`GET /metrics\` gives these as Prometheus text: dots become underscores, the unit is appended, counters end in
\`_total\`. With an OTLP endpoint set (\`OTEL_EXPORTER_OTLP_ENDPOINT\`) the same figures are pushed under the names below.

| name | kind | unit | labels | meaning |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

/** docs/reference/cli.md: what `astromeshctl --help` says, for every command. */
export async function renderCli(): Promise<string> {
  const sections: string[] = [];
  const visit = async (path: readonly string[]): Promise<void> => {
    const help = await helpOf(path);
    sections.push(`## astromeshctl${path.map((word) => ` ${word}`).join("")}\n\n\`\`\`text\n${help.trim()}\n\`\`\``);
    for (const child of subcommands(help)) await visit([...path, child]);
  };
  await visit([]);
  return `# astromeshctl\n\n${MADE}\n\n${sections.join("\n\n")}\n`;
}

async function helpOf(path: readonly string[]): Promise<string> {
  const fake = fakeCliIo();
  await runCli([...path, "--help"], fake.io, { check: () => Promise.reject(new Error("help checks nothing")) });
  return fake.stdout();
}

/** The names under "Commands:", without \`help\`, which only repeats. */
function subcommands(help: string): readonly string[] {
  const list = /^Commands:\n((?: {2}.*\n?)+)/m.exec(help)?.[1] ?? "";
  return [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = ""]) => name).filter((name) => name !== "help");
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
