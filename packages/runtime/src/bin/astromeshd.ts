import { Command } from "commander";

import { readVersion, runDaemon } from "../node/index.ts";
import type { DaemonFlags } from "../node/index.ts";

const program = new Command("astromeshd")
  .description("Runs an Astromesh node: agents, their models and tools, behind one HTTP port.")
  .option(
    "--config <path>",
    "configuration directory or file (default: $ASTROMESH_CONFIG_DIR, /etc/astromesh, ./config)",
  )
  .option("--host <host>", "address to listen on (default: 0.0.0.0)")
  .option("--port <port>", "HTTP port; 0 takes a free one (default: 8000)")
  .option("--log-level <level>", "debug, info, warning or error (default: info)")
  .option("--pid-file <path>", "PID file (default: /var/run/astromesh/astromeshd.pid, or in the data directory)")
  .option("--foreground", "stay in the foreground; it always does, since service managers want it so")
  .option("--check", "validate the configuration and every agent, then exit")
  .version(readVersion(), "--version", "print the version")
  .helpOption("--help", "print this help")
  .addHelpText(
    "after",
    `
Examples:
  astromeshd                                             start with ./config or /etc/astromesh
  astromeshd --config /etc/astromesh --log-level debug   name the configuration, log more
  astromeshd --port 9000 --pid-file /tmp/astromesh.pid   another port and PID file
  astromeshd --check                                     exit 0 if everything is valid, 2 if not

Signals: SIGHUP reloads agents and providers, SIGTERM drains and ends.`,
  )
  .exitOverride((end) => process.exit(end.exitCode === 0 ? 0 : 2))
  .allowExcessArguments(false);

program.parse();
process.exit(await runDaemon(program.opts<DaemonFlags>()));
