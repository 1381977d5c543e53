import { setTimeout } from "node:timers/promises";

/** How long a test waits for a condition unless it says otherwise. Milliseconds. */
const DEADLINE_MS = 10_000;

/**
 * Waits until `condition` gives something else than false, null or undefined, and returns it. Fails with the name of
 * the condition when the deadline passes.
 */
export async function until<T>(
  name: string,
  condition: () => T | Promise<T>,
  deadlineMs = DEADLINE_MS,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await condition();
    if (found !== false && found !== null && found !== undefined) {
      return found as Exclude<T, false | null | undefined>;
    }
    if (performance.now() > deadline) throw new Error(`Not within ${deadlineMs} ms: ${name}`);
    await setTimeout(2);
  }
}
