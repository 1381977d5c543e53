import { once } from "node:events";
import { Worker } from "node:worker_threads";

import { AstromeshError } from "../core/index.ts";
import type { Clock, JsonObject } from "../core/index.ts";
import type { TemplateFault, ThreadAnswer, ThreadRequest } from "./template-messages.ts";

/** A template to render: Jinja's language, sandboxed. */
export interface RenderRequest {
  /** Sources by name; they may include each other. */
  readonly templates: Readonly<Record<string, string>>;
  /** The name of the one to render. */
  readonly entry: string;
  /** What the templates may read. */
  readonly variables: JsonObject;
}

/**
 * Renders templates in a thread of its own, because the language is rich enough to spend memory and time without
 * bound (`{{ 'x' * 4000000000 }}`) and some templates are written by models. What a template can do at worst is fail
 * itself and delay others by the time limit.
 */
export interface Templates {
  /** Rejects with `prompt_invalid`, whose details name the template and the line, or `draining` when stopped. */
  render(request: RenderRequest): Promise<string>;
  /** Faults of syntax, without rendering. */
  check(templates: Readonly<Record<string, string>>): Promise<readonly TemplateFault[]>;
  /** Starts the thread ahead of the first template (about 50 ms). Optional. */
  start(): Promise<void>;
  /** Ends the thread; what is being rendered fails. Idempotent. */
  stop(): Promise<void>;
  status(): { readonly running: boolean; readonly waiting: number };
}

/** Settings of the templates' thread. */
export interface TemplatesOptions {
  /** Longest time for one template, milliseconds; others wait meanwhile. @default 2000 */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 2_000;
const START_TIMEOUT_MS = 30_000;

/** Makes the template engine. The thread starts with the first template. */
export function createTemplates(deps: { readonly clock: Clock }, options: TemplatesOptions = {}): Templates {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let thread: Worker | null = null;
  let waiting = 0;
  let tail: Promise<unknown> = Promise.resolve();

  const running = async (): Promise<Worker> => {
    if (thread !== null) return thread;
    const worker = startThread();
    thread = worker;
    worker.once("exit", () => {
      if (thread === worker) thread = null;
    });
    await listen(deps.clock, worker, START_TIMEOUT_MS);
    return worker;
  };

  /** One request at a time, so that the one to blame for a lost thread is known. */
  const ask = async (request: ThreadRequest): Promise<ThreadAnswer> => {
    waiting += 1;
    const answer = tail.then(async () => {
      const worker = await running();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage(request);
      return listen(deps.clock, worker, timeoutMs);
    });
    tail = answer.catch(() => {});
    return answer.finally(() => (waiting -= 1));
  };

  return {
    render: async ({ templates, entry, variables }) => {
      const source = templates[entry];
      if (source !== undefined && !hasMarkup(source)) return source;
      const answer = await ask({ kind: "render", templates, entry, variables });
      if (answer.kind === "text") return answer.text;
      throw promptInvalid(answer.kind === "faults" ? answer.faults : [], entry);
    },
    check: async (templates) => {
      if (!Object.values(templates).some(hasMarkup)) return [];
      const answer = await ask({ kind: "check", templates });
      return answer.kind === "faults" ? answer.faults : [];
    },
    start: async () => {
      const started = tail.then(running);
      tail = started.catch(() => {});
      await started;
    },
    stop: async () => {
      await thread?.terminate();
      thread = null;
    },
    status: () => ({ running: thread !== null, waiting }),
  };
}

/** The thread's next word; rejects when it dies or stays silent, and then the thread is gone. */
async function listen(clock: Clock, worker: Worker, limitMs: number): Promise<ThreadAnswer> {
  const over = new AbortController();
  const { signal } = over;
  try {
    return await Promise.race([
      once(worker, "message", { signal }).then(([answer]) => answer as ThreadAnswer),
      once(worker, "exit", { signal }).then(() => {
        throw new AstromeshError("draining", "the template engine was stopped");
      }),
      clock.sleep(limitMs, signal).then(() => {
        throw new AstromeshError("prompt_invalid", `the template took longer than ${limitMs} ms`);
      }),
    ]);
  } catch (thrown) {
    await worker.terminate();
    const outOfMemory = thrown instanceof Error && thrown.name === "RuntimeError";
    throw outOfMemory ? new AstromeshError("prompt_invalid", "the template needs too much memory") : thrown;
  } finally {
    over.abort();
  }
}

/** A text without markup needs no engine. Most system prompts are such. */
function hasMarkup(source: string): boolean {
  return /\{[{%#]/.test(source);
}

function promptInvalid(faults: readonly TemplateFault[], entry: string): AstromeshError {
  const fault = faults[0] ?? { template: entry, line: null, message: "the engine gave no reason" };
  const place = fault.line === null ? "" : `, line ${fault.line}`;
  return new AstromeshError("prompt_invalid", `template "${fault.template}"${place}: ${fault.message}`, {
    details: { template: fault.template, line: fault.line },
  });
}

/**
 * The thread's file is JavaScript when built; run from the sources, it needs the loader of our development tools.
 * The engine's dying words go to its stderr, which nobody reads: the host says what happened.
 */
function startThread(): Worker {
  const built = !import.meta.url.endsWith(".ts");
  const file = new URL(built ? "./template-thread.js" : "./template-thread.ts", import.meta.url);
  // A thread does not inherit a TypeScript loader on Node 20, so it registers tsx (a dev dependency) by itself; by its
  // whole address, since a bare name would be looked for below the working directory.
  const load = (): string => {
    const tsx = JSON.stringify(import.meta.resolve("tsx/esm/api"));
    return `import(${tsx}).then(({ register }) => { register(); return import("${file.href}"); })`;
  };
  const worker = new Worker(built ? file : load(), { eval: !built, stderr: true });
  worker.stderr.resume();
  // Whoever waits for an answer hears of an error; without this, one that nobody waits for would end the process.
  worker.on("error", () => {});
  worker.unref();
  return worker;
}
