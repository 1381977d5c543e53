/** The shutting down of a node's doors, in two steps that every door follows. */
export interface Drain {
  /** The node takes no new work. */
  readonly draining: boolean;
  /** Aborts when streams that are still open must end, so that their clients connect elsewhere. */
  readonly closing: AbortSignal;
  /** Idempotent. */
  begin(): void;
  /** Begins if nobody did, then ends the streams. Idempotent. */
  closeStreams(): void;
}

/** Makes the drain that the HTTP server and its doors share. */
export function createDrain(): Drain {
  const closing = new AbortController();
  let draining = false;
  return {
    get draining() {
      return draining;
    },
    closing: closing.signal,
    begin() {
      draining = true;
    },
    closeStreams() {
      draining = true;
      closing.abort();
    },
  };
}
