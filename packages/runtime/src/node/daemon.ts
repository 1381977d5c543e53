import type { ConfigInput, Flags } from "../config/index.ts";
import { AstromeshError } from "../core/index.ts";
import { createLog, openStdout } from "../telemetry/index.ts";
import type { Log } from "../telemetry/index.ts";
import { boot } from "./boot.ts";
import type { NodeSeams, RunningNode } from "./boot.ts";
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
export async function runDaemon(flags: DaemonFlags, seams: NodeSeams = {}): Promise<number> {
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
    const start = () => boot({ version: readVersion(), config, snapshot, log, notifier, clock, random, seams });
    const code = await live(start, log);
    if (code === 0) logger.info("Exit with code 0");
    return code;
  } catch (error) {
    logger.error(error instanceof Error ? error.message : String(error), isExpected(error) ? {} : { error });
    return exitCodeOf(error);
  } finally {
    clearInterval(alive);
    log.flush();
  }
}

/**
 * Starts a node and lets it serve until a signal or a failure ends it. Signals are listened to from the first moment:
 * what they ask during the start is done right after it.
 */
function live(start: () => Promise<RunningNode>, { logger }: Log): Promise<number> {
  return new Promise((resolve, reject) => {
    // A step later than the listening that follows.
    const started = Promise.resolve().then(start);
    watchSignals({
      drain(signal) {
        const stopped = started.then((node) => node.stop(signal));
        stopped.then(() => resolve(0), reject);
      },
      force(signal) {
        logger.warn(`A second ${signal}: the end is not waited for; runs go on at the next start`);
        resolve(1);
      },
      reload() {
        const reloaded = started.then((node) => node.reload());
        reloaded.catch((error: unknown) => logger.error("The reload failed", { error }));
      },
    });
    started.then(untilItFails).catch(reject);
  });
}

async function untilItFails(node: RunningNode): Promise<void> {
  try {
    await node.failed;
  } finally {
    await node.stop("the node failed");
  }
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
