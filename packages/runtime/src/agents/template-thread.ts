/**
 * The thread that renders templates, and the only file that knows the template engine. It answers one request at a
 * time and may be killed at any moment: the host (templates.ts) starts another.
 *
 * T1: a template reads the JSON values that it is given and nothing else; an undefined name is an error.
 * T2: a render has bounded steps, memory and output here, and bounded time at the host.
 * T3: when the engine runs out of memory its state is broken, so the error is not caught and ends the thread.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { parentPort } from "node:worker_threads";

import { Environment, initSync } from "minijinja-js/dist/web/minijinja_js.js";

import type { TemplateFault, ThreadAnswer, ThreadRequest } from "./template-messages.ts";
import { withMemoryLimit } from "./wasm-memory.ts";

/** Instructions of one render: about 60 ms of plain work (110 ms per million, measured on a 2-core machine). */
const MAX_STEPS = 500_000;
/** All of the engine's memory; it takes 1 MiB by itself. */
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;
const MAX_OUTPUT_CHARS = 1024 * 1024;
const MAX_EXCERPT_CHARS = 120;

const engineFile = createRequire(import.meta.url).resolve("minijinja-js/dist/web/minijinja_js_bg.wasm");
initSync({ module: withMemoryLimit(readFileSync(engineFile), MAX_MEMORY_BYTES) });

parentPort?.on("message", (request: ThreadRequest) => say(answer(request)));
say({ kind: "ready" });

function say(message: ThreadAnswer): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message);
}

/** A fresh environment for each request (20 us) keeps agents' templates apart without a cache to look after. */
function answer(request: ThreadRequest): ThreadAnswer {
  const environment = new Environment();
  environment.undefinedBehavior = "strict";
  environment.fuel = MAX_STEPS;
  environment.keepTrailingNewline = true;
  environment.enablePyCompat();
  const result = answerIn(environment, request);
  environment.free();
  return result;
}

function answerIn(environment: Environment, request: ThreadRequest): ThreadAnswer {
  const { templates } = request;
  const faults: TemplateFault[] = [];
  for (const [name, source] of Object.entries(templates)) {
    const fault = attempt(() => environment.addTemplate(name, source), name, templates);
    if (fault !== null) faults.push(fault);
  }
  if (request.kind === "check" || faults.length > 0) return { kind: "faults", faults };

  let text = "";
  const render = (name: string): TemplateFault | null =>
    attempt(() => (text = environment.renderTemplate(name, request.variables)), name, templates);
  let fault = render(request.entry);
  if (fault === null && text.length > MAX_OUTPUT_CHARS) {
    fault = { template: request.entry, line: null, message: `the text is longer than ${MAX_OUTPUT_CHARS} characters` };
  }
  if (fault === null) return { kind: "text", text };
  // The engine names the include and hides why it failed; rendered by itself, the included template mostly tells.
  const included = /could not render include: error in "(.+)"/.exec(fault.message)?.[1];
  return { kind: "faults", faults: [(included === undefined ? null : render(included)) ?? fault] };
}

/** Null when the work succeeded, else what the engine says about it. */
function attempt(
  work: () => unknown,
  template: string,
  sources: Readonly<Record<string, string>>,
): TemplateFault | null {
  try {
    work();
    return null;
  } catch (thrown) {
    if (!(thrown instanceof Error) || thrown.name === "RuntimeError") throw thrown;
    const [first = ""] = thrown.message.split("\n");
    const placed = /^(.*) \(in (.+):(\d+)\)$/.exec(first);
    if (placed === null) return { template, line: null, message: first };
    const [, message = "", name = template, digits] = placed;
    const line = Number(digits);
    const excerpt = sources[name]?.split("\n")[line - 1]?.trim().slice(0, MAX_EXCERPT_CHARS) ?? "";
    return { template: name, line, message: excerpt === "" ? message : `${message} in: ${excerpt}` };
  }
}
