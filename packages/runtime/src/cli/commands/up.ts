import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { packageFolder } from "../../config/index.ts";
import type { Register } from "../command.ts";
import { CliError, EXIT } from "../exit.ts";
import { money } from "../output/format.ts";
import { renderCard } from "../output/table.ts";
import { createSession } from "../session.ts";
import type { Session } from "../session.ts";
import { runtimeFile } from "../templates/runtime.ts";
import { ask } from "./run.ts";

const DAEMON = join(packageFolder(), "bin/astromeshd.js");
const READY_TIMEOUT_MS = 30_000;
const FIRST_QUESTION = "What is 17 * 23?";

/** `up`: a local node in one command, tried once and kept running. */
export const registerUp: Register = (program, leaf) => {
  leaf(
    program,
    "up",
    {
      summary: "Start a local node, run its default agent once, and stay up until Ctrl-C",
      examples: ["astromeshctl up", "astromeshctl up --port 9000 --data ./data"],
    },
    async (session, _args, options) => {
      const home = resolve(session.io.cwd, (options["data"] as string | undefined) ?? ".astromesh");
      const port = await freePort(Number((options["port"] as string | undefined) ?? 8000));
      const config = await configDirectory(session, home, options["config"] as string | undefined);
      const daemon = startDaemon(session, { home, port, config, verbose: options["verbose"] === true });
      try {
        const local = createSession(session.io, session.local, {
          url: `http://127.0.0.1:${port}`,
          apiKey: options["apiKey"],
        });
        await untilReady(local, daemon);
        await introduce(local);
        await tryDefaultAgent(local);
        await Promise.race([once(daemon, "exit"), aborted(session.io.signal)]);
        if (daemon.exitCode !== null) throw new CliError(EXIT.failed, `the node ended with code ${daemon.exitCode}`);
      } finally {
        await stopDaemon(daemon);
      }
    },
  )
    .option("--port <port>", "the HTTP port; the next free one when it is taken [8000]")
    .option("--config <path>", "the configuration [./config when it holds runtime.yaml, else a development one]")
    .option("--data <path>", "the data directory [./.astromesh]")
    .option("--verbose", "show the node's log");
};

async function configDirectory(session: Session, home: string, given: string | undefined): Promise<string> {
  if (given !== undefined) return resolve(session.io.cwd, given);
  const local = resolve(session.io.cwd, "config");
  if (existsSync(join(local, "runtime.yaml"))) return local;
  const own = join(home, "config");
  await mkdir(own, { recursive: true });
  const file = join(own, "runtime.yaml");
  if (!existsSync(file)) await writeFile(file, runtimeFile({ role: "full", development: true, apiKey: null }));
  return own;
}

/** The first port from `wanted` on that nobody on loopback listens at. */
async function freePort(wanted: number): Promise<number> {
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 65_535) {
    throw new CliError(EXIT.usage, "--port: expected a number between 1 and 65535");
  }
  for (let port = wanted; port < Math.min(wanted + 20, 65_536); port += 1) {
    const server = createServer();
    const free = await new Promise<boolean>((done) => {
      server.once("error", () => done(false));
      server.listen(port, "127.0.0.1", () => done(true));
    });
    if (free) {
      await new Promise((closed) => server.close(closed));
      return port;
    }
  }
  throw new CliError(EXIT.failed, `no free port from ${wanted} to ${wanted + 19}`);
}

function startDaemon(
  session: Session,
  options: { readonly home: string; readonly port: number; readonly config: string; readonly verbose: boolean },
): ChildProcess {
  if (!existsSync(DAEMON.replace(/bin.astromeshd\.js$/, "dist"))) {
    throw new CliError(EXIT.failed, "the node is not built", "Run `npm run build` first.");
  }
  const flags = ["--config", options.config, "--port", String(options.port), "--host", "127.0.0.1"];
  const daemon = spawn(process.execPath, [DAEMON, ...flags], {
    env: { ...session.io.env, ASTROMESH_DATA_DIR: options.home },
    stdio: ["ignore", options.verbose ? "inherit" : "pipe", "inherit"],
    // Ctrl-C reaches the whole group of the terminal; the node is stopped by us, in order, and once.
    detached: true,
  });
  // The log is read even when nobody wants it: a full pipe would stop the node.
  daemon.stdout?.resume();
  return daemon;
}

async function untilReady(session: Session, daemon: ChildProcess): Promise<void> {
  const client = await session.client();
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += 100) {
    session.io.signal.throwIfAborted();
    if (daemon.exitCode !== null) throw new CliError(EXIT.failed, `the node ended with code ${daemon.exitCode}`);
    const ready = await client.ready().catch(() => null);
    if (ready?.status === "ready") return;
    await delay(100);
  }
  throw new CliError(EXIT.failed, `the node was not ready after ${READY_TIMEOUT_MS / 1_000} s`);
}

async function introduce(session: Session): Promise<void> {
  const status = await (await session.client()).system.status();
  session.io.out(
    renderCard(session.io, {
      title: "Astromesh",
      rows: [
        ["Node", status.node.name],
        ["URL", session.url],
        ["Agents", String(status.agents_loaded)],
        ["Store", status.store.kind],
      ],
    }),
  );
}

async function tryDefaultAgent(session: Session): Promise<void> {
  const run = await ask(session, "default", FIRST_QUESTION, {});
  const answer = run.response ?? `the run is ${run.status}: ${run.error?.detail ?? run.stop_reason ?? ""}`;
  session.io.out(`
Question  ${FIRST_QUESTION}
Answer    ${answer}
          ${session.style.dim(`${run.provider}/${run.model} · ${money(run.usage.cost_usd)} · ${run.run_id}`)}
${run.provider === "offline" ? OFFLINE : ""}
The node is up. In another terminal:
  npx astromeshctl --help
  npx astromeshctl chat default${session.url.endsWith(":8000") ? "" : ` --url ${session.url}`}
  curl ${session.url}/v1/system/status
Documentation of the API: ${session.url}/docs
Ctrl-C stops it.
`);
}

const OFFLINE = `
          No model was found (Ollama on localhost:11434, OPENAI_API_KEY), so the built-in
          offline model answered by its rules. It is no language model.
`;

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    signal.addEventListener("abort", () => done(), { once: true });
  });
}

async function stopDaemon(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = once(daemon, "exit");
  daemon.kill("SIGTERM");
  await ended;
}
