import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { FakeProvider, FakeProviderOptions } from "./types.ts";

/** Where a fake provider in another process is. */
export interface FakeAddress {
  readonly ollamaUrl: string;
  readonly openAiUrl: string;
  readonly controlUrl: string;
}

/** Starts a fake model server in a process of its own. */
export async function spawnFakeProvider(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", main, JSON.stringify(options)], {
    // It ends when this pipe does, so also when its parent dies.
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), "line"),
    exited.then(([code]) => Promise.reject(new Error(`the fake provider ended with ${String(code)}`))),
  ])) as [string];
  const address = JSON.parse(line) as FakeAddress;
  return {
    ...connect(address),
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

function connect({ ollamaUrl, openAiUrl, controlUrl }: FakeAddress): FakeProvider {
  const ask = async (method: string, ...args: readonly unknown[]): Promise<unknown> => {
    const response = await fetch(`${controlUrl}/${method}`, { method: "POST", body: JSON.stringify(args) });
    const answer = (await response.json()) as { readonly result?: unknown; readonly error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.result;
  };
  const tell =
    (method: string) =>
    async (...args: readonly unknown[]): Promise<void> => {
      await ask(method, ...args);
    };
  return {
    ollamaUrl,
    openAiUrl,
    script: tell("script"),
    hold: tell("hold"),
    reached: tell("reached"),
    step: tell("step"),
    release: tell("release"),
    requests: () => ask("requests") as ReturnType<FakeProvider["requests"]>,
    count: () => ask("count") as Promise<number>,
    repeated: () => ask("repeated") as Promise<string[]>,
    asked: tell("asked"),
    left: tell("left"),
    reset: tell("reset"),
    down: tell("down"),
    up: tell("up"),
    stop: tell("stop"),
  };
}
