import type { Command } from "commander";

import type { Session } from "./session.ts";

/** A command's work. Its exit code is 0 unless it throws or returns another. */
export type Action = (session: Session, args: readonly string[], options: Options) => Promise<number | void>;

/** The options of a command as commander read them. */
export type Options = Readonly<Record<string, unknown>>;

/** Adds a command with the common options, its examples and its work. */
export type Leaf = (
  parent: Command,
  usage: string,
  about: { readonly summary: string; readonly examples: readonly string[] },
  action: Action,
) => Command;

/** A file of commands puts its own under the program. */
export type Register = (program: Command, leaf: Leaf) => void;
