import type { Parts } from "./parts.ts";
import type { PidFile } from "./pid-file.ts";
import type { Notifier } from "./sd-notify.ts";

/** Answers and streams that are still open when the runs are done get this long. */
const LAST_ANSWERS_MS = 2_000;
const TELEMETRY_MS = 2_000;

/**
 * Stops a node, whatever of it was started. Roughly the start backwards; each step says why it stands where it does.
 * A step that fails is logged and the others follow: the lock and the PID file must go in any case.
 */
export async function shutDown(
  parts: Parts,
  { pidFile, notifier, reason }: { readonly pidFile: PidFile; readonly notifier: Notifier; readonly reason: string },
): Promise<void> {
  const { logger, clock } = parts;
  const { drainMs } = parts.first.config.runs;
  const deadlineMs = clock.monotonic() + drainMs;
  const step = async (name: string, work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      logger.error(`${name} failed while stopping`, { error });
    }
  };
  logger.info("Stop accepting new requests", { reason });
  await step("notify", () => notifier.stopping("Draining"));
  parts.server.drain();

  // Runs before the server: their clients are still reading. What is cut goes on at the next start.
  logger.info("Wait for in-flight requests to complete", { timeout_ms: drainMs });
  await step("runs", () => parts.engine.stop({ graceMs: drainMs }));
  const leftMs = Math.max(0, deadlineMs - clock.monotonic());
  await step("server", () => parts.server.stop({ graceMs: Math.min(leftMs + LAST_ANSWERS_MS, drainMs) }));

  // Nobody asks any more: what served them can go.
  await step("background loops", () => parts.supervisor.stop({ graceMs: LAST_ANSWERS_MS }));
  await step("peers", () => parts.peers?.stop());
  await step("tools", () => parts.tools.stop());
  await step("models", () => parts.models.stop());
  await step("templates", () => parts.agents.templates.stop());

  // The store last of all that write: it flushes what they wrote.
  await step("store", () => parts.store.stop());
  parts.loop.stop();
  await step("traces", () => parts.telemetry.tracing.stop(TELEMETRY_MS));
  await step("metrics", () => parts.telemetry.stop(TELEMETRY_MS));

  // The PID file while the lock is still held: afterwards both could be another's.
  logger.info("Remove PID file");
  await step("PID file", () => pidFile.remove());
  parts.data.lock.release();
}
