/** Facts that go with a log line. Never secrets, prompts or answers. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One line per event. Implementations add time, node, and the run and trace ids of the current work. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose every line carries these fields. */
  child(fields: LogFields): Logger;
}
