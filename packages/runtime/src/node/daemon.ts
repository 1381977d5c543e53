import type { ConfigInput, Flags } from "../config/index.ts";
import { AstromeshError } from "../core/index.ts";
import { createLog, openStdout } from "../telemetry/index.ts";
import type { Log } from "../telemetry/index.ts";
import { boot } from "./boot.ts";
import type { RunningNode } from "./boot.ts";
import { checkConfiguration, formatCheck } from "./check.ts";
import { createNotifier } from "./sd-notify.ts";
import { watchSignals } from "./signals.ts";
import { readSnapshot } from "./snapshot.ts";
import { StartError } from "./start-error.ts";
import { createSystemClock, createSystemRandom } from "./system.ts";
import { readVersion } from "./version.ts";

/** What the command line of astromeshd says. */
export interface DaemonFlags extends Flags {
  /** Validate everything and end. */
  readonly check?: boolean | undefined;
}

/** Runs a daemon until it is told to end. Returns the exit code: 0, 1 (it failed), 2 (wrong use or configuration). */
export async function runDaemon(flags: DaemonFlags): Promise<number> {
  const config: ConfigInput = { flags, env: process.env, cwd: process.cwd() };
  if (flags.check === true) {
    const report = await checkConfiguration(config);
    const failed = report.errors.length > 0;
    (failed ? process.stderr : process.stdout).write(formatCheck(report));
    return failed ? 2 : 0;
  }
  const read = readSnapshot(config);
  if (!read.ok) {
    process.stderr.write(`${read.errors.map((error) => `astromeshd: ${error}`).join("\n")}\n`);
    return 2;
  }
  const { logLevel, logFormat } = read.snapshot.config.observability;
  const clock = createSystemClock();
  const pretty = logFormat === "pretty" || process.stdout.isTTY;
  const destination = await openStdout({ pretty, colour: process.stdout.isTTY && !process.env["NO_COLOR"] });
  const log = createLog({ level: logLevel, destination, clock });
  log.hide(read.snapshot.secrets);
  watchDefects(log);
  const { logger } = log;
  // Nearly every timer of a node is unreferenced: without this, waiting for a database or for the last run would be
  // nothing to live for.
  const alive = setInterval(() => undefined, 60_000);
  const notifier = createNotifier(process.env["NOTIFY_SOCKET"], (error) =>
    logger.warn("The service manager could not be told", { error }),
  );
  try {
    const { snapshot } = read;
    const random = createSystemRandom();
    return await live(await boot({ version: readVersion(), config, snapshot, log, notifier, clock, random }), log);
  } catch (error) {
    logger.error(error instanceof Error ? error.message : String(error), isExpected(error) ? {} : { error });
    return exitCodeOf(error);
  } finally {
    clearInterval(alive);
    log.flush();
  }
}

/** Lets the node serve until a signal or a failure ends it. */
function live(node: RunningNode, log: Log): Promise<number> {
  const { logger } = log;
  return new Promise((resolve, reject) => {
    watchSignals({
      drain(signal) {
        node.stop(signal).then(() => {
          logger.info("Exit with code 0");
          return resolve(0);
        }, reject);
      },
      force(signal) {
        logger.warn(`A second ${signal}: the end is not waited for; runs go on at the next start`);
        resolve(1);
      },
      reload: () => void node.reload().catch((error: unknown) => logger.error("The reload failed", { error })),
    });
    node.failed.catch((error: unknown) => {
      void node.stop("the node failed").finally(() => reject(error));
    });
  });
}

/**
 * What nobody caught is a defect. After an exception the state is unknown: the process ends, and the journal makes
 * that cheap. A rejection was of work that nobody waited for: it is logged and the node goes on.
 */
function watchDefects(log: Log): void {
  const { logger } = log;
  process.on("unhandledRejection", (error) => logger.error("A rejection was not handled", { error }));
  process.on("uncaughtException", (error) => {
    logger.error("An exception was not caught; the process ends", { error });
    log.flush();
    process.exit(1);
  });
}

/** Errors that say all there is to say in their message. */
function isExpected(error: unknown): boolean {
  return error instanceof StartError || (error instanceof AstromeshError && error.code !== "internal");
}

function exitCodeOf(error: unknown): number {
  if (error instanceof StartError) return error.exitCode;
  return error instanceof AstromeshError && error.code === "config_invalid" ? 2 : 1;
}
