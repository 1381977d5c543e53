import type { Run, RunStreamEvent } from "@astromesh/client";

import { parseDuration } from "../../core/index.ts";
import type { Options, Register } from "../command.ts";
import { CliError, EXIT } from "../exit.ts";
import { money } from "../output/format.ts";
import { printEvents } from "../output/live-run.ts";
import { untilAborted } from "../output/until-aborted.ts";
import type { Session } from "../session.ts";

/** `run NAME [QUERY]`: one question, one answer. */
export const registerRun: Register = (program, leaf) => {
  leaf(
    program,
    "run",
    {
      summary: "Run an agent and print its answer",
      examples: [
        'astromeshctl run default "What is 17 * 23?"',
        'astromeshctl run support "And tomorrow?" --session ses_01k.. --stream',
        "cat question.txt | astromeshctl run default",
        'astromeshctl run default "Summarise this" --json | jq .usage',
      ],
    },
    async (session, [agent = "", query], options) => {
      const question = query ?? (await readAll(session));
      const run = await ask(session, agent, question, options);
      return reportRun(session, run, options["stream"] === true);
    },
  )
    .argument("<name>", "the agent")
    .argument("[query]", "what to ask; without it, standard input is read to its end")
    .option("--session <id>", "go on with this session [a new one]")
    .option("--stream", "print the answer as it is said")
    .option("--timeout <duration>", "how long to wait for the answer, such as 90s; the run itself goes on [2m]");
};

async function readAll(session: Session): Promise<string> {
  const lines: string[] = [];
  if (session.io.canAsk) session.io.err("Type the question, then Ctrl-D.\n");
  for (let line = await session.io.readLine(""); line !== null; line = await session.io.readLine("")) lines.push(line);
  const text = lines.join("\n").trim();
  if (text === "") throw new CliError(EXIT.usage, "no query: give one as an argument or on standard input");
  return text;
}

/** Starts a run and follows it to its end, a wait, or the end of the caller's patience. */
export async function ask(session: Session, agent: string, query: string, options: Options): Promise<Run> {
  const timeoutMs = parseDuration((options["timeout"] as string | undefined) ?? "2m");
  if (timeoutMs === null || timeoutMs === 0) {
    throw new CliError(EXIT.usage, `--timeout: "${String(options["timeout"])}" is no duration`, "Try 90s or 5m.");
  }
  const client = await session.client();
  const sessionId = options["session"] as string | undefined;
  const accepted = await client.runs.submit({
    agent,
    query,
    ...(sessionId === undefined ? {} : { session_id: sessionId }),
  });
  const patience = AbortSignal.any([session.io.signal, AbortSignal.timeout(timeoutMs)]);
  const events = untilSettled(client.events(accepted.run_id, { signal: patience }), patience);
  if (options["stream"] === true) await printEvents(session, events);
  else for await (const event of events) void event;
  return client.runs.get(accepted.run_id);
}

/** A run's events until it ends, waits for somebody, or the caller's patience is over. */
async function* untilSettled(events: AsyncIterable<RunStreamEvent>, patience: AbortSignal) {
  for await (const item of untilAborted(events, patience)) {
    yield item;
    if (item.event.type === "waiting" && item.event.reason !== "timer" && item.event.reason !== "child") return;
  }
}

/** Prints how a run stands and returns the exit code that says the same. `told`: its text was streamed already. */
export function reportRun(session: Session, run: Run, told: boolean): number {
  if (session.json) {
    if (!told) session.answer(run, () => "");
  } else {
    if (!told && run.response !== null) session.io.out(`${run.response}\n`);
    session.io.err(session.style.dim(`${summary(run)}\n`));
    if (run.error !== undefined) session.io.err(`${session.style.bad("error:")} ${run.error.detail}\n`);
  }
  if (run.status === "completed") return EXIT.ok;
  if (run.status === "queued" || run.status === "running" || run.status === "waiting") {
    session.io.err(`The run goes on. Follow it:  astromeshctl runs watch ${run.run_id}\n`);
  }
  return EXIT.failed;
}

function summary(run: Run): string {
  const model = run.model === null ? "" : ` · ${run.provider}/${run.model}`;
  const ended =
    run.stop_reason === null || run.stop_reason === "end" ? run.status : `${run.status}: ${run.stop_reason}`;
  const { input_tokens: input, output_tokens: output, cost_usd: cost } = run.usage;
  return `${run.run_id} · ${ended}${model} · ${input} + ${output} tokens · ${money(cost)} · session ${run.session_id}`;
}
