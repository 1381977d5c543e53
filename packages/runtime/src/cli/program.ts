import { Command, CommanderError } from "commander";

import type { Leaf } from "./command.ts";
import { COMMANDS } from "./commands/index.ts";
import { EXIT } from "./exit.ts";
import { explain } from "./explain.ts";
import type { CliIo } from "./io.ts";
import { createSession, withCommonOptions } from "./session.ts";
import type { Local } from "./session.ts";

/** Builds the whole command tree. `done` gets the exit code of the action that ran. */
function buildProgram(io: CliIo, local: Local, done: (exitCode: number) => void): Command {
  const program = new Command("astromeshctl")
    .description("Talk to an Astromesh node: run agents, watch runs, look after the node.")
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .exitOverride()
    .showHelpAfterError("Run with --help to see how it is used.")
    .addHelpText("after", OVERVIEW);
  const leaf: Leaf = (parent, usage, about, action) => {
    const command = withCommonOptions(parent.command(usage).description(about.summary));
    if (about.examples.length > 0) {
      command.addHelpText("after", `\nExamples:\n${about.examples.map((line) => `  $ ${line}\n`).join("")}`);
    }
    return command.action(async () => {
      const session = createSession(io, local, command.optsWithGlobals());
      try {
        done((await action(session, command.args, command.opts())) ?? EXIT.ok);
      } catch (thrown) {
        done(explain(session, thrown));
      }
    });
  };
  for (const register of COMMANDS) register(program, leaf);
  return program;
}

/** Runs one invocation; returns the exit code. Never throws. */
export async function runCli(argv: readonly string[], io: CliIo, local: Local): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(io, local, (code) => {
    exitCode = code;
  });
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return EXIT.ok;
    }
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return explain(createSession(io, local, {}), thrown);
  }
}

const OVERVIEW = `
Exit codes: 0 ok, 1 the operation failed, 2 wrong use or bad config, 3 no node answers, 4 the node refuses.
The node is --url, else $ASTROMESH_URL, else http://localhost:8000.

First steps:
  $ astromeshctl init --dev            write a configuration into ./config
  $ astromeshctl status                what the node is doing
  $ astromeshctl run default "2 + 3"   run an agent and print its answer
  $ astromeshctl runs list             the runs so far
`;
