/** The items until `signal` aborts: being told to stop is an end here, not a failure. */
export async function* untilAborted<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  try {
    yield* items;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}
