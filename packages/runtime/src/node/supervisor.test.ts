import { describe, expect, test } from "vitest";

import type { Clock } from "../core/index.ts";
import type { Logger } from "../core/ports/index.ts";
import { createSupervisor } from "./supervisor.ts";
import type { LoopEnd } from "./supervisor.ts";

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

/** Sleeps take no time; what was asked is kept, and time passes by exactly that. */
function jumpingClock() {
  const sleeps: number[] = [];
  let nowMs = 0;
  const clock: Clock & { pass(ms: number): void } = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep(delayMs) {
      sleeps.push(delayMs);
      nowMs += delayMs;
      return Promise.resolve();
    },
    pass: (ms) => (nowMs += ms),
  };
  return { clock, sleeps };
}

function untilAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

describe("a supervised loop", () => {
  test("S1: is restarted after a wait that doubles, until it lives", async () => {
    const { clock, sleeps } = jumpingClock();
    const ends: LoopEnd[] = [];
    const supervisor = createSupervisor({ clock, logger: SILENT, onEnd: (_, end) => ends.push(end) });
    let lives = 0;
    const alive = new Promise<void>((resolve) => {
      supervisor.start({
        name: "leases",
        async run(signal) {
          lives += 1;
          if (lives < 4) throw new Error(`life ${lives}`);
          resolve();
          await untilAbort(signal);
        },
      });
    });
    await alive;
    expect(sleeps).toEqual([200, 400, 800]);
    expect(supervisor.status()).toEqual([{ name: "leases", state: "running", restarts: 3, lastError: "life 3" }]);
    await supervisor.stop({ graceMs: 1_000 });
    expect(supervisor.status()[0]?.state).toBe("stopped");
    expect(ends).toEqual(["restarted", "restarted", "restarted", "stopped"]);
  });

  test("S1: a return is an end like any other", async () => {
    const { clock } = jumpingClock();
    const supervisor = createSupervisor({ clock, logger: SILENT });
    supervisor.start({ name: "sweep", run: () => Promise.resolve(), policy: { maxRestarts: 1 } });
    await new Promise((resolve) => setImmediate(resolve));
    expect(supervisor.status()[0]).toMatchObject({ state: "failed", lastError: "it returned" });
  });

  test("S2: a long life makes earlier failures forgotten", async () => {
    const { clock, sleeps } = jumpingClock();
    const supervisor = createSupervisor({ clock, logger: SILENT });
    let lives = 0;
    supervisor.start({
      name: "sweep",
      policy: { maxRestarts: 2, stableMs: 1_000 },
      run() {
        lives += 1;
        if (lives === 3) clock.pass(1_000);
        return Promise.reject(new Error("x"));
      },
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(sleeps).toEqual([200, 400, 200, 400]);
    expect(lives).toBe(5);
  });

  test("S3: stays down after its last restart, and the others go on", async () => {
    const { clock } = jumpingClock();
    const ends: string[] = [];
    const supervisor = createSupervisor({ clock, logger: SILENT, onEnd: (loop, end) => ends.push(`${loop} ${end}`) });
    supervisor.start({ name: "bad", run: () => Promise.reject(new Error("x")), policy: { maxRestarts: 2 } });
    supervisor.start({ name: "good", run: untilAbort });
    await new Promise((resolve) => setImmediate(resolve));
    expect(supervisor.status().map(({ name, state }) => `${name} ${state}`)).toEqual(["bad failed", "good running"]);
    expect(ends).toEqual(["bad restarted", "bad restarted", "bad escalated"]);
    await supervisor.stop({ graceMs: 1_000 });
  });

  test("S4: one that does not listen does not hold the stop beyond the grace", async () => {
    const { clock, sleeps } = jumpingClock();
    const supervisor = createSupervisor({ clock, logger: SILENT });
    supervisor.start({ name: "deaf", run: () => new Promise(() => undefined) });
    await supervisor.stop({ graceMs: 5_000 });
    expect(sleeps).toEqual([5_000]);
  });

  test("names are unique", () => {
    const { clock } = jumpingClock();
    const supervisor = createSupervisor({ clock, logger: SILENT });
    supervisor.start({ name: "one", run: untilAbort });
    expect(() => supervisor.start({ name: "one", run: untilAbort })).toThrow("already supervised");
  });
});
