import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, expect, test } from "vitest";

import { fakeCliIo } from "../../test/fakes/fake-cli-io.ts";
import { runCli } from "./index.ts";
import type { FileCheck } from "./index.ts";

const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

const NOTHING_FOUND: FileCheck = { errors: [], warnings: [], notices: [], agents: ["default"], providers: [] };

/** Runs the command line as a person would and returns what they see. */
async function cli(argv: readonly string[], options: Parameters<typeof fakeCliIo>[0] & { check?: FileCheck } = {}) {
  const fake = fakeCliIo(options);
  const exitCode = await runCli(argv, fake.io, { check: () => Promise.resolve(options.check ?? NOTHING_FOUND) });
  return { exitCode, stdout: fake.stdout(), stderr: fake.stderr() };
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "astromesh-cli-"));
  undo.push(() => rmSync(path, { recursive: true }));
  return path;
}

/** A node that answers every request alike. */
async function nodeThatAnswers(status: number, body: unknown): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  undo.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("without a command it shows how to begin, and that is no error", async () => {
  const { exitCode, stdout } = await cli([]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("Usage: astromeshctl [options] [command]");
  expect(stdout).toContain("First steps:");
});

test("help teaches by example, for every command", async () => {
  const { exitCode, stdout } = await cli(["run", "--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('$ astromeshctl run default "What is 17 * 23?"');
});

test.each([
  [["nonsense"], "unknown command 'nonsense'"],
  [["run"], "missing required argument 'name'"],
  [["runs", "list", "--limit", "none"], "--limit: expected a number above 0"],
  [["runs", "list", "--status", "lost"], "Allowed choices are"],
  [["run", "default", "hello", "--timeout", "soon"], '--timeout: "soon" is no duration'],
  [["tools", "call", "calculator", "{"], "the arguments are not JSON"],
  [["tools", "call", "calculator", "[1]"], "the arguments must be a JSON object"],
])("wrong use exits with 2: %j", async (argv, message) => {
  const { exitCode, stderr } = await cli(argv);
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
});

test("a node that cannot be reached exits with 3 and names the address", async () => {
  const url = await nodeThatAnswers(200, {});
  for (const step of undo.splice(0)) step();
  const { exitCode, stderr } = await cli(["status", "--url", url]);
  expect(stderr).toContain(`cannot reach ${url}`);
  expect(exitCode).toBe(3);
});

test("a node that refuses exits with 4 and says what to give", async () => {
  const url = await nodeThatAnswers(401, { detail: "an API key is needed", code: "unauthorized" });
  const { exitCode, stderr } = await cli(["agents", "list"], { env: { ASTROMESH_URL: url } });
  expect(exitCode).toBe(4);
  expect(stderr).toContain("an API key is needed");
  expect(stderr).toContain("ASTROMESH_API_KEY");
});

test("any other failure exits with 1, as JSON when a program asks", async () => {
  const url = await nodeThatAnswers(404, { detail: "no agent is named x", code: "agent_not_found" });
  const { exitCode, stdout, stderr } = await cli(["agents", "show", "x", "--url", url, "--json"]);
  expect(exitCode).toBe(1);
  expect(stdout).toBe("");
  expect(JSON.parse(stderr)).toEqual({ error: "no agent is named x", code: "agent_not_found", exit_code: 1 });
});

test("init writes files that only their owner reads, and never over others'", async () => {
  const cwd = directory();
  const first = await cli(["init", "--yes", "--role", "worker"], { cwd });
  expect(first.exitCode).toBe(0);
  const runtime = join(cwd, "config", "runtime.yaml");
  expect(statSync(runtime).mode & 0o777).toBe(0o600);
  const key = /key: (am_\S+)/.exec(readFileSync(runtime, "utf8"))?.[1] ?? "none";
  expect(first.stdout).toContain(key);
  const second = await cli(["init", "--yes"], { cwd });
  expect(second.exitCode).toBe(2);
  expect(second.stderr).toContain("already there");
  expect(readFileSync(runtime, "utf8")).toContain(key);
});

test("new agent refuses names that are none", async () => {
  const { exitCode, stderr } = await cli(["new", "agent", "../x"], { cwd: directory() });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('"../x" is no name');
});

test("agents validate tells every error and exits with 2", async () => {
  const check = { ...NOTHING_FOUND, errors: ["a.agent.yaml:3:5 unknown key"] };
  const { exitCode, stdout } = await cli(["agents", "validate"], { check });
  expect(exitCode).toBe(2);
  expect(stdout).toBe("✗ a.agent.yaml:3:5 unknown key\nnot valid: 1 error\n");
});

test("the bash completion offers commands, then their own, then options", async () => {
  const { stdout } = await cli(["completion", "bash"]);
  const script = join(directory(), "completion.bash");
  writeFileSync(script, stdout);
  const complete = (words: readonly string[]): string[] =>
    execFileSync(
      "bash",
      [
        "-c",
        `. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _astromeshctl; echo "\${COMPREPLY[@]}"`,
        script,
        ...words,
      ],
      { encoding: "utf8" },
    )
      .trim()
      .split(" ");
  expect(complete(["astromeshctl", "ru"])).toEqual(["run", "runs"]);
  expect(complete(["astromeshctl", "runs", "ca"])).toEqual(["cancel"]);
  expect(complete(["astromeshctl", "runs", "list", "--st"])).toEqual(["--status"]);
});
