import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until a condition holds and returns what it gave. Fails by name, with the last thing that went wrong.
 *
 * @param read gives undefined or false while the condition does not hold; what it throws counts as "not yet".
 * @param timeoutMs @default 10000
 */
export async function waitFor<T>(
  name: string,
  read: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown = "the condition never held";
  while (performance.now() < deadline) {
    try {
      const value = await read();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    await sleep(20);
  }
  throw new Error(`waited ${timeoutMs} ms in vain for: ${name}`, { cause: last });
}
