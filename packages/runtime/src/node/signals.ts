/** What a signal asks of the daemon. */
export interface SignalHandlers {
  /** The first SIGTERM or SIGINT. */
  drain(signal: NodeJS.Signals): void;
  /** The second one: the person does not want to wait. */
  force(signal: NodeJS.Signals): void;
  /** SIGHUP. */
  reload(): void;
}

/** Listens to the process's signals until the returned function is called. */
export function watchSignals(handlers: SignalHandlers, source: NodeJS.EventEmitter = process): () => void {
  let draining = false;
  const end = (signal: NodeJS.Signals): void => {
    if (draining) handlers.force(signal);
    else {
      draining = true;
      handlers.drain(signal);
    }
  };
  const reload = (): void => handlers.reload();
  source.on("SIGTERM", end);
  source.on("SIGINT", end);
  source.on("SIGHUP", reload);
  return () => {
    source.off("SIGTERM", end);
    source.off("SIGINT", end);
    source.off("SIGHUP", reload);
  };
}
