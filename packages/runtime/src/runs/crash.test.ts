import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createHastyClock } from "../../test/fakes/hasty-clock.ts";
import { createMortalStore } from "../../test/fakes/mortal-store.ts";
import type { Death } from "../../test/fakes/mortal-store.ts";
import { answering, countingTool, createLab, openLabStore, saying, textsOf } from "../../test/fakes/run-lab.ts";
import type { CountingTool, Lab } from "../../test/fakes/run-lab.ts";
import { until } from "../../test/fakes/until.ts";
import { isEnded, LOCAL_PRINCIPAL } from "../core/index.ts";
import type { Json, LoopContext, Pattern, Run } from "../core/index.ts";
import type { Store } from "../core/ports/index.ts";

let store: Store;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ store, close } = await openLabStore());
});
afterAll(() => close());

/** One step of a random loop. */
type Step =
  | { readonly do: "tool"; readonly effect: "read" | "idempotent" | "once" }
  | { readonly do: "model" }
  | { readonly do: "sleep"; readonly ms: number }
  | { readonly do: "signal" }
  | { readonly do: "child" }
  | { readonly do: "version" }
  | { readonly do: "all"; readonly branches: readonly (readonly Step[])[] }
  | { readonly do: "race"; readonly branch: readonly Step[] };

const leaf: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom("read", "idempotent", "once").map((effect): Step => ({ do: "tool", effect })),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ do: "model" }) },
  fc.constantFrom(5, 3_000).map((ms): Step => ({ do: "sleep", ms })),
  fc.constantFrom<Step>({ do: "signal" }, { do: "child" }, { do: "version" }),
);
const flat = fc.array(leaf, { minLength: 1, maxLength: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: leaf },
  fc.array(flat, { minLength: 1, maxLength: 3 }).map((branches): Step => ({ do: "all", branches })),
  flat.map((branch): Step => ({ do: "race", branch })),
);
const script = fc.array(step, { minLength: 1, maxLength: 5 });
const deaths = fc.array(
  fc.record({ atWrite: fc.integer({ min: 1, max: 14 }), when: fc.constantFrom("before", "after") }),
  { maxLength: 3 },
) as fc.Arbitrary<Death[]>;

/**
 * Runs steps; each result, with the loop's time and random numbers, goes into a message. The journal keeps a digest of
 * it: a replay that differed anywhere would end as journal_mismatch.
 */
async function perform(context: LoopContext, steps: readonly Step[], path: string): Promise<Json> {
  const results: Json[] = [];
  for (const [index, each] of steps.entries()) {
    const here = `${path}${index}`;
    results.push(await performStep(context, each, here));
    const text = JSON.stringify([context.now(), context.random(), results]);
    await context.effect({ kind: "say", thread: here, index: 100, role: "user", text });
  }
  return results;
}

async function performStep(context: LoopContext, each: Step, here: string): Promise<Json> {
  switch (each.do) {
    case "tool": {
      const call = { id: here, name: each.effect, arguments: { here } };
      const { ok } = await context.effect({ kind: "tool", thread: here, index: 0, call });
      return ok;
    }
    case "model": {
      const request = { kind: "model", thread: here, length: 0, role: "r", tools: false, stream: true } as const;
      const { text, usage } = await context.effect({ ...request, returnText: true });
      return { text, tokens: usage.outputTokens };
    }
    case "sleep":
      await context.sleep(each.ms);
      return "slept";
    case "signal": {
      const outcome = await context.waitSignal("go", 3_600_000);
      return outcome.kind;
    }
    case "child": {
      const { status, response } = await context.child({ agent: "child", query: here, sessionId: null });
      return { status, response };
    }
    case "version":
      return context.version("change", { min: 1, max: 3 });
    case "all":
      return context.all(
        each.branches.map((branch, index) => (own: LoopContext) => perform(own, branch, `${here}.${index}.`)),
      );
    case "race":
      break;
  }
  const { index, value } = await context.race<Json>([
    (own) => perform(own, each.branch, `${here}.0.`),
    async (own) => (await own.waitSignal("never", 360_000_000)).kind,
  ]);
  return { index, value };
}

function countSignals(steps: readonly Step[]): number {
  return steps.reduce((sum, each) => {
    if (each.do === "signal") return sum + 1;
    if (each.do === "all") return sum + each.branches.reduce((inner, branch) => inner + countSignals(branch), 0);
    return each.do === "race" ? sum + countSignals(each.branch) : sum;
  }, 0);
}

interface World {
  readonly tools: readonly CountingTool[];
  readonly clock: ReturnType<typeof createHastyClock>;
  readonly pattern: Pattern;
}

function world(steps: readonly Step[]): World {
  return {
    tools: (["read", "idempotent", "once"] as const).map((effect) => countingTool(effect, effect)),
    clock: createHastyClock(100),
    pattern: answering((context) => perform(context, steps, "")),
  };
}

const child: Pattern = answering(async (context) => {
  const call = { id: "c", name: "once", arguments: {} };
  await context.effect({ kind: "tool", thread: "t", index: 0, call });
  return context.input.query;
});

/** One process of the node: it ends by dying, or when the test is over. */
function startProcess({ tools, clock, pattern }: World, death: Death | null) {
  const mortal = createMortalStore(store.runs, death);
  const lab = createLab({
    store: mortal.store,
    clock,
    pattern,
    tools,
    agents: { child },
    model: saying("two ", "words"),
    options: { pollMs: 500, leaseMs: 3_600_000, leaseRenewMs: 1_200_000, poisonAfter: 100, controlPollMs: 1_000 },
  });
  lab.engine.start();
  return { mortal, lab };
}

/** Answers what the run and its children ask for, as people and other programs would. */
async function attend(lab: Lab, runId: string, sent: { count: number }, wanted: number): Promise<void> {
  const runs = [await store.runs.get(runId), ...(await store.runs.list({ parentRunId: runId, limit: 100 }))];
  for (const run of runs) {
    if (run === null || run.status !== "waiting") continue;
    if (run.waitReason === "ambiguous") {
      for (const { position } of (await store.runs.journal(run.runId)).filter(({ phase }) => phase === "ambiguous")) {
        const answer = { name: `resolve:${position}`, payload: { outcome: "done", result: 1 }, signalId: position };
        await lab.engine.signal(run.runId, LOCAL_PRINCIPAL, answer).catch(() => {});
      }
    } else if (run.waitReason === "signal" && run.runId === runId && sent.count < wanted) {
      // Sent again with the same id when the node died meanwhile: it is one signal all the same.
      const signal = { name: "go", payload: null, signalId: `go${sent.count}` };
      await lab.engine.signal(runId, LOCAL_PRINCIPAL, signal).catch(() => {});
      sent.count += 1;
    }
  }
}

/** Runs a script through the deaths of its node, and shows the run as it ended. */
async function live(
  steps: readonly Step[],
  planned: readonly Death[],
  check: (run: Run, its: World, lab: Lab) => Promise<void>,
): Promise<{ readonly deaths: number }> {
  const its = world(steps);
  const wanted = countSignals(steps);
  const sent = { count: 0 };
  let deaths = 0;
  const [first, ...rest] = planned;
  // The submit's own write is the first: whoever dies before it has no run.
  let process = startProcess(its, first === undefined ? null : { ...first, atWrite: first.atWrite + 1 });
  try {
    const { runId } = await process.lab.submit();
    const run = await until(
      `the end of ${runId}`,
      async () => {
        if (process.mortal.isDead()) {
          await process.mortal.died;
          deaths += 1;
          process = startProcess(its, rest.shift() ?? null);
        }
        await Promise.race([attend(process.lab, runId, sent, wanted), process.mortal.died]);
        const now = await store.runs.get(runId);
        return now !== null && isEnded(now.status) ? now : null;
      },
      30_000,
    );
    await check(run, its, process.lab);
    return { deaths };
  } finally {
    // A process that is left alive would take the runs of the next test for its own.
    process.mortal.kill();
  }
}

/** At most one execution for each key, whatever happened. */
function expectOnce(its: World): void {
  for (const tool of its.tools.filter(({ effect }) => effect === "once")) {
    expect(Math.max(0, ...tool.executions.values())).toBeLessThanOrEqual(1);
  }
}

async function responseOf(steps: readonly Step[]): Promise<string | null> {
  let response: string | null = null;
  await live(steps, [], async (run, its) => {
    expectOnce(its);
    ({ response } = run);
  });
  return response;
}

describe("a node that dies", () => {
  const deadlineMs = 240_000;

  it("ends every loop as if it had not, and does nothing twice that must be done once", { timeout: deadlineMs }, () =>
    fc.assert(
      fc.asyncProperty(script, deaths, async (steps, planned) => {
        const response = await responseOf(steps);
        await live(steps, planned, async (run, its, lab) => {
          expect(run.error).toBeNull();
          expect(run).toMatchObject({ status: "completed", response });
          expectOnce(its);
          const events = await lab.events(run.runId);
          const journal = await store.runs.journal(run.runId);
          const answers = journal.filter(({ kind, phase }) => kind === "model" && phase === "done");
          expect(Object.values(textsOf(events))).toEqual(answers.map(() => "two words"));
        });
      }),
      { numRuns: Number(process.env["ASTROMESH_CRASH_RUNS"] ?? 40) },
    ),
  );

  it("may do so at every boundary of a run that does a little of everything", { timeout: deadlineMs }, async () => {
    const steps: readonly Step[] = [
      { do: "model" },
      { do: "tool", effect: "once" },
      {
        do: "all",
        branches: [
          [{ do: "tool", effect: "idempotent" }, { do: "model" }],
          [{ do: "sleep", ms: 3_000 }, { do: "signal" }],
        ],
      },
      { do: "race", branch: [{ do: "child" }] },
      { do: "version" },
    ];
    const response = await responseOf(steps);
    for (let atWrite = 1, deaths = 1; deaths > 0; atWrite += 1) {
      for (const when of ["before", "after"] as const) {
        ({ deaths } = await live(steps, [{ atWrite, when }], async (run, its) => {
          expect(run).toMatchObject({ status: "completed", response, error: null });
          expectOnce(its);
        }));
      }
    }
  });
});
