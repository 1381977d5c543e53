import { describe, expect, test } from "vitest";

import { manualClock } from "../../test/fakes/clock.ts";
import { createBreaker } from "./breaker.ts";
import type { Breaker, CallOutcome } from "./breaker.ts";

const make = () => {
  const clock = manualClock();
  return { clock, breaker: createBreaker(clock, { failures: 3, restMs: 60_000 }) };
};

async function calls(breaker: Breaker, ...outcomes: readonly CallOutcome[]): Promise<void> {
  for (const outcome of outcomes) await breaker.acquire()?.settle(outcome);
}

describe("a breaker", () => {
  test("opens at the third failure in a row", async () => {
    const { breaker } = make();
    await calls(breaker, "failure", "failure", "success", "failure", "failure");
    expect(breaker.state()).toBe("closed");
    await calls(breaker, "failure");
    expect(breaker.state()).toBe("open");
    expect(breaker.acquire()).toBeNull();
    expect(breaker.restLeftMs()).toBe(60_000);
  });

  test("a neutral outcome neither counts nor clears", async () => {
    const { breaker } = make();
    await calls(breaker, "failure", "neutral", "failure", "neutral", "failure");
    expect(breaker.state()).toBe("open");
  });

  test("lets one probe through after the rest, and closes when it succeeds", async () => {
    const { breaker, clock } = make();
    await calls(breaker, "failure", "failure", "failure");
    clock.advance(60_000);
    const probe = breaker.acquire();
    expect(breaker.state()).toBe("half_open");
    expect(breaker.acquire()).toBeNull();
    await probe?.settle("success");
    expect(breaker.state()).toBe("closed");
    await calls(breaker, "failure", "failure");
    expect(breaker.state()).toBe("closed");
  });

  test("rests again when the probe fails", async () => {
    const { breaker, clock } = make();
    await calls(breaker, "failure", "failure", "failure");
    clock.advance(60_000);
    await calls(breaker, "failure");
    expect(breaker.acquire()).toBeNull();
    expect(breaker.restLeftMs()).toBe(60_000);
  });

  test("a probe that was given up lets another one through at once", async () => {
    const { breaker, clock } = make();
    await calls(breaker, "failure", "failure", "failure");
    clock.advance(60_000);
    await calls(breaker, "neutral");
    expect(breaker.state()).toBe("open");
    expect(breaker.acquire()).not.toBeNull();
    expect(breaker.acquire()).toBeNull();
  });

  test("calls that began before it opened do not open it wider", async () => {
    const { breaker, clock } = make();
    const early = breaker.acquire();
    await calls(breaker, "failure", "failure", "failure");
    clock.advance(59_000);
    await early?.settle("failure");
    expect(breaker.restLeftMs()).toBe(1_000);
  });

  test("telling it twice changes nothing", async () => {
    const { breaker } = make();
    const permit = breaker.acquire();
    await permit?.settle("failure");
    await permit?.settle("failure");
    await calls(breaker, "failure");
    expect(breaker.state()).toBe("closed");
  });
});
