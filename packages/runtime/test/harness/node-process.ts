import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { spawnChild } from "./child-process.ts";
import type { TestChild } from "./child-process.ts";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

/** How a node is set up. */
export interface NodeOptions {
  /** @default "node" */
  readonly name?: string;
  /** Files of the configuration directory by path; a `runtime.yaml` of one line per default is added if missing. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** What to start instead of the daemon; it takes the daemon's flags. */
  readonly command?: readonly [string, readonly string[]];
}

/** A real astromeshd in a process of its own, with its own port, configuration and data. */
export interface TestNode {
  readonly name: string;
  readonly directory: string;
  readonly configDirectory: string;
  readonly dataDirectory: string;
  /** Of the process that runs now, or ran last. */
  readonly child: TestChild;
  readonly url: string;
  readonly port: number;
  /** Writes a file of the configuration directory. */
  write(path: string, text: string): void;
  /**
   * Starts the process and waits until it serves. The port stays the same over restarts.
   * @param env more variables, for this start only
   */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends it as an init system does, and waits; resolves with the exit code. */
  stop(): Promise<number | NodeJS.Signals>;
  /** Ends it as a power cut does, and waits. */
  kill(): Promise<void>;
  /** Stops the process where it stands (SIGSTOP), and lets it go on. */
  pause(): void;
  resume(): void;
  /** The log lines of the process that have this message. */
  logged(message: string): readonly LogRecord[];
  /** Sends a request; `json` makes it a POST with that body. */
  fetch(path: string, request?: TestRequest): Promise<Response>;
  /** Kills the process if it lives and removes the directory. */
  dispose(): Promise<void>;
}

/** A request to a node. */
export interface TestRequest {
  readonly json?: unknown;
  /** A body as it is, instead of `json`. */
  readonly body?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A line of a node's log. */
export interface LogRecord {
  readonly msg: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

/** The command that starts a daemon: the sources through tsx, or what `npm run build` made (ASTROMESH_TEST_DIST=1). */
export function daemonCommand(): readonly [string, readonly string[]] {
  if (process.env["ASTROMESH_TEST_DIST"] === "1") return [process.execPath, [join(PACKAGE, "bin/astromeshd.js")]];
  // By its whole path: a bare name would be looked for below the daemon's working directory.
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return [process.execPath, ["--import", tsx, join(PACKAGE, "src/bin/astromeshd.ts")]];
}

/** Sets a node up; nothing runs before `start`. */
export function createTestNode(options: NodeOptions = {}): TestNode {
  const name = options.name ?? "node";
  const directory = mkdtempSync(join(tmpdir(), `astromesh-${name}-`));
  const configDirectory = join(directory, "config");
  const dataDirectory = join(directory, "data");
  const files = { "runtime.yaml": runtimeYaml(name), ...options.files };
  for (const [path, text] of Object.entries(files)) writeUnder(configDirectory, path, text);
  let child: TestChild | null = null;
  let port = 0;

  const running = (): TestChild => {
    if (child === null) throw new Error(`${name} was not started`);
    return child;
  };
  const node: TestNode = {
    name,
    directory,
    configDirectory,
    dataDirectory,
    get child() {
      return running();
    },
    get port() {
      return port;
    },
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    write: (path, text) => writeUnder(configDirectory, path, text),
    async start(env = {}) {
      child = spawnDaemon(node, { ...options, env: { ...options.env, ...env } }, port);
      await child.says('"msg":"Serving requests"', 30_000);
      port = Number(node.logged("Serving requests")[0]?.["port"]);
    },
    async stop() {
      running().kill("SIGTERM");
      return running().exited;
    },
    async kill() {
      running().kill("SIGKILL");
      await running().exited;
    },
    pause: () => running().kill("SIGSTOP"),
    resume: () => running().kill("SIGCONT"),
    logged: (message) => readLog(running().output()).filter((line) => line.msg === message),
    fetch: (path, { json, ...request } = {}) =>
      fetch(`${node.url}${path}`, {
        ...(json === undefined ? {} : { method: "POST", body: JSON.stringify(json) }),
        ...request,
        headers: { ...(json === undefined ? {} : { "content-type": "application/json" }), ...request.headers },
      }),
    async dispose() {
      if (child !== null) await node.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return node;
}

function spawnDaemon(node: TestNode, options: NodeOptions, port: number): TestChild {
  const [command, args] = options.command ?? daemonCommand();
  return spawnChild(
    command,
    [...args, "--config", node.configDirectory, "--port", String(port), ...(options.args ?? [])],
    {
      cwd: node.directory,
      // Nothing of the machine's own environment reaches a node but what a process needs to run.
      env: {
        PATH: process.env["PATH"],
        HOME: node.directory,
        ASTROMESH_NODE_NAME: node.name,
        ASTROMESH_DATA_DIR: node.dataDirectory,
        ...options.env,
      },
    },
  );
}

function runtimeYaml(name: string): string {
  return `apiVersion: astromesh/v1
kind: RuntimeConfig
metadata: { name: ${name} }
spec: { api: { host: 127.0.0.1 } }
`;
}

function writeUnder(directory: string, path: string, text: string): void {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function readLog(output: string): LogRecord[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line) as LogRecord);
}
