/** True when the work succeeds within `timeoutMs`; false when it fails or takes longer. It is not stopped. */
export function within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    // Unreferenced: a deadline alone must not hold a process that is about to exit.
    const timer = setTimeout(() => resolve(false), timeoutMs).unref();
    work
      .then(
        () => resolve(true),
        () => resolve(false),
      )
      .finally(() => clearTimeout(timer));
  });
}
