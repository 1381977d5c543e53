/**
 * From an effect's plan to its outcome, where a person may have a say: approval before, and after a crash the
 * question what became of a `once` effect.
 *
 * A1 A `once` effect with an intent and no outcome is never performed again unless a person says so.
 * A2 Its tool is asked first, once the effect's own time is over; then a person. Until then the run waits, visibly.
 * A3 An answer is for the one question that it was given to: a signal's name says where the question stands.
 * A4 A denial, an approval that nobody gave, and a failure are three different observations.
 */
import { AstromeshError, formatDuration } from "../../../core/index.ts";
import type { EffectKind, Json, JsonObject, ToolEffect } from "../../../core/index.ts";
import type { ToolOutcome } from "../../../core/ports/index.ts";
import { failure } from "../../effects/index.ts";
import type { EffectDone, ToolExecutor } from "../../effects/index.ts";
import { observed } from "../../observer.ts";
import type { AttemptKit } from "./kit.ts";
import { never, recordOf } from "./kit.ts";
import type { EffectSite } from "./perform.ts";
import { tryEffect, writeDone } from "./perform.ts";
import type { KnownCall } from "./replay.ts";
import { waitForSignal } from "./signal-wait.ts";

/** Settles an effect of any kind; see Settle in perform.ts. */
export async function settleEffect<K extends EffectKind>(
  kit: AttemptKit,
  site: EffectSite<K>,
  known: KnownCall | null,
): Promise<EffectDone<K>> {
  const { plan, request, position } = site;
  const intended = known !== null && known.intent !== null;
  if (plan.refusal !== null && !intended) {
    const from = kit.stream.head();
    if (plan.announce !== null) kit.stream.emit(plan.announce, site.call.place);
    writeDone(kit, site, plan.refusal, from);
    return plan.refusal;
  }
  if (request.kind !== "tool") return tryEffect(kit, site, position, intended);
  const done = await settleTool(kit, site as unknown as EffectSite<"tool">, known);
  return done as unknown as EffectDone<K>;
}

async function settleTool(
  kit: AttemptKit,
  planned: EffectSite<"tool">,
  known: KnownCall | null,
): Promise<EffectDone<"tool">> {
  // The class that the intent was written under counts, whatever the tool says of itself today.
  const effectClass = known?.intent?.effectClass ?? planned.plan.effectClass;
  const site = { ...planned, plan: { ...planned.plan, effectClass } };
  const { position } = site;
  if (site.plan.approval && !known?.intent) {
    const refusal = await askApproval(kit, site);
    if (refusal !== null) return observeOnly(kit, site, refusal, kit.stream.head());
  }
  for (let tries = 0; ; tries += 1) {
    const tryPosition = tries === 0 ? position : `${position}/retry${tries}`;
    const tried = kit.segment().replay.at(tryPosition);
    const intended = tried !== null && tried.intent !== null;
    if (!intended || effectClass !== "once") return tryEffect(kit, site, tryPosition, intended);
    const verdict = await clearUp(kit, site, tried, tries + 1);
    if (verdict !== "retry") return observeOnly(kit, site, verdict, null);
  }
}

/** Writes an outcome that nothing was performed for. */
function observeOnly(
  kit: AttemptKit,
  site: EffectSite<"tool">,
  outcome: ToolOutcome,
  from: number | null,
): EffectDone<"tool"> {
  const done = (site.executor as ToolExecutor).observe(site.request, outcome, 0);
  writeDone(kit, site, done, from);
  return done;
}

/** Waits until a person has agreed; the observation for the model when nobody did, null when somebody has. */
async function askApproval(kit: AttemptKit, site: EffectSite<"tool">): Promise<ToolOutcome | null> {
  const { position, plan } = site;
  const asked = `${position}/approval`;
  const from = kit.stream.head();
  if (kit.segment().replay.at(asked) === null && plan.announce !== null) {
    kit.stream.emit(plan.announce, site.call.place);
  }
  const timeoutMs = kit.options.waitLimitMs;
  const answer = await waitForSignal(kit, site.branch, {
    position: asked,
    name: `approve:${asked}`,
    timeoutMs,
    reason: "approval",
    about: { ...plan.about, from },
    question: true,
  });
  if (answer.kind === "timeout") {
    return failure("tool_timeout", `Nobody approved the call within ${formatDuration(timeoutMs)}; it was not made.`);
  }
  const { approved, by, reason } = answer.payload as JsonObject;
  if (approved === true) return null;
  const why = typeof reason === "string" && reason !== "" ? `: ${reason}` : ".";
  return failure("tool_denied", `The call was denied by ${typeof by === "string" ? by : answer.sender}${why}`);
}

/** What became of a `once` effect whose outcome a crash hid: its outcome, or the leave to try again (A1, A2). */
async function clearUp(
  kit: AttemptKit,
  site: EffectSite<"tool">,
  tried: KnownCall,
  question: number,
): Promise<ToolOutcome | "retry"> {
  const { request, position, call, branch } = site;
  const executor = site.executor as ToolExecutor;
  const intent = tried.intent;
  if (intent !== null && tried.ambiguous === null) {
    const payload = { tool: request.call.name };
    const fields = { position: intent.position, phase: "ambiguous", kind: "tool", effectClass: "once" } as const;
    kit.writer.defer({ records: [recordOf(kit, { ...fields, payload })] });
    kit.deps.observer.ambiguous(observed(kit.run), request.call.name);
  }
  const asked = `${position}/resolve${question}`;
  if (kit.segment().replay.at(asked) === null && executor.reconciles(request)) {
    const overAt = (intent?.at ?? 0) + executor.timeoutMs(request);
    await kit.waits.wait({ reason: "ambiguous", name: null, dueAt: overAt, deadlineAt: null }, branch.signal);
    if (!kit.mayPerform()) return never();
    const found = await executor.reconcile(request, call);
    if (found !== "unknown") return found;
  }
  const answer = await waitForSignal(kit, branch, {
    position: asked,
    name: `resolve:${asked}`,
    timeoutMs: kit.options.waitLimitMs,
    reason: "ambiguous",
    about: { tool: request.call.name, callId: request.call.id },
    question: true,
  });
  if (answer.kind === "timeout") {
    const message = `Nobody said what became of the call of ${request.call.name} at ${position}.`;
    kit.interrupt({ kind: "failed", error: new AstromeshError("run_timeout", message) });
    return never();
  }
  return verdictOf(request, answer.payload);
}

/** The answer that the facade has checked: `done` with a result, `failed`, or `retry`. */
function verdictOf(request: ToolEffect, payload: Json): ToolOutcome | "retry" {
  const { outcome, result } = payload as JsonObject;
  if (outcome === "retry") return "retry";
  if (outcome === "done") return { ok: true, data: result ?? null };
  return failure("tool_failed", `${request.call.name} did not take effect, as a person found out after a crash.`);
}
