/**
 * Who may see and steer which run, and what a signal from outside may say.
 *
 * X1 A principal sees and steers its own runs, `admin` all. Others' runs do not exist for it.
 * X2 Who has `approve` also sees runs that wait for a person, and may answer them; nobody answers for their own run
 *    unless the node allows it or they are `admin`.
 * X3 An answer is taken only while the run waits for it, and names its sender itself, not by what the body claims.
 */
import { AstromeshError, hasScope, isEnded, isJsonObject } from "../core/index.ts";
import type { Json, JsonObject, Principal, Run } from "../core/index.ts";
import type { JournalRecord } from "../core/ports/index.ts";
import { payloadOf } from "./engines/journal/index.ts";

/** A signal as it may be kept. */
export interface CheckedSignal {
  readonly name: string;
  readonly payload: Json;
}

/** True when the principal may see the run (X1, X2). */
export function canSee(run: Run, principal: Principal): boolean {
  if (run.principalId === principal.id || hasScope(principal, "admin")) return true;
  const asksPeople = run.waitReason === "approval" || run.waitReason === "ambiguous";
  return asksPeople && run.status === "waiting" && hasScope(principal, "approve");
}

/** The run, or `run_not_found` when there is none that the principal may see. */
export function visible(run: Run | null, runId: string, principal: Principal): Run {
  if (run !== null && canSee(run, principal)) return run;
  throw new AstromeshError("run_not_found", `There is no run ${runId}.`);
}

/** Refuses what may not be steered: runs that have ended, and runs that are only seen because they ask people. */
export function refuseSteering(run: Run, principal: Principal): void {
  if (isEnded(run.status)) throw new AstromeshError("run_ended", `The run ${run.runId} has ended: ${run.status}.`);
  if (run.principalId !== principal.id && !hasScope(principal, "admin")) {
    throw new AstromeshError("forbidden", `The run ${run.runId} belongs to somebody else.`);
  }
}

/** Names that the engine itself listens to. `approve` and `resolve` alone mean the only open question of the kind. */
const QUESTIONS = ["approve", "resolve"] as const;

type Question = (typeof QUESTIONS)[number];

/** True when a signal of this name answers a question of the engine, so that checkAnswer must see it. */
export function questionOf(name: string): Question | null {
  return QUESTIONS.find((question) => name === question || name.startsWith(`${question}:`)) ?? null;
}

/** Checks an ordinary signal. */
export function checkSignal(run: Run, principal: Principal, signal: CheckedSignal): CheckedSignal {
  refuseSteering(run, principal);
  if (signal.name === "" || signal.name.startsWith("child:")) {
    throw new AstromeshError("invalid_request", `A signal cannot be called "${signal.name}".`);
  }
  return signal;
}

/**
 * Checks the answer to a question that the run asks people: `approve:<position>` with `{approved, reason?}`, or
 * `resolve:<position>` with `{outcome: "done", result?} | {outcome: "failed"} | {outcome: "retry"}`. The position is the
 * call's, or the question's own (`3/resolve1`): then the answer is for no other question about the call.
 *
 * @param journal the run's current segment
 */
export function checkAnswer(
  run: Run,
  principal: Principal,
  question: Question,
  signal: CheckedSignal,
  journal: readonly JournalRecord[],
  selfApproval: boolean,
): CheckedSignal {
  if (isEnded(run.status)) throw new AstromeshError("run_ended", `The run ${run.runId} has ended: ${run.status}.`);
  if (!hasScope(principal, "approve")) {
    throw new AstromeshError("forbidden", "The key lacks the scope `approve`.");
  }
  if (run.principalId === principal.id && !selfApproval && !hasScope(principal, "admin")) {
    throw new AstromeshError("forbidden", "Nobody answers for their own run on this node.");
  }
  const open = openQuestions(journal).filter((name) => name.startsWith(`${question}:`));
  const name = signal.name === question && open.length === 1 ? open[0] : meant(signal.name, open);
  if (name === undefined) {
    const details = { open };
    const message = open.length === 0 ? "The run asks no such question." : "The run asks other questions; name one.";
    throw new AstromeshError("invalid_request", message, { details });
  }
  const payload = isJsonObject(signal.payload) ? signal.payload : {};
  return { name, payload: { ...answerOf(question, payload), by: principal.id } };
}

/** Names that the engine itself gives to its questions about a call. */
const NAMES_QUESTION = /\/(?:approval|resolve\d+)$/;

/** The open question that a name means: the very one, or the one about the call at that place of the journal. */
function meant(name: string, open: readonly string[]): string | undefined {
  if (NAMES_QUESTION.test(name)) return open.find((each) => each === name);
  const [call = ""] = name.split("/");
  return open.find((each) => each.startsWith(`${call}/`));
}

function answerOf(question: Question, payload: JsonObject): JsonObject {
  const { approved, reason, outcome } = payload;
  if (question === "approve") {
    if (typeof approved === "boolean") return { approved, reason: typeof reason === "string" ? reason : "" };
    throw new AstromeshError("invalid_request", "An approval needs `approved`: true or false.");
  }
  if (outcome === "done") return { outcome, result: payload["result"] ?? null };
  if (outcome === "failed" || outcome === "retry") return { outcome };
  throw new AstromeshError("invalid_request", "A resolution needs `outcome`: done, failed or retry.");
}

/** The names of signals that a segment's journal waits for and has no outcome of. */
function openQuestions(journal: readonly JournalRecord[]): string[] {
  const answered = new Set(journal.filter(({ phase }) => phase !== "intent").map(({ position }) => position));
  return journal
    .filter(({ kind, phase, position }) => kind === "signal" && phase === "intent" && !answered.has(position))
    .map((record) => payloadOf(record)["name"] as string);
}
