export { createRunEngine } from "./engine.ts";
export type { RunEngine } from "./engine.ts";
export { SILENT_OBSERVER } from "./observer.ts";
export type { ObservedEffect, ObservedRun, RunObserver } from "./observer.ts";
export { runSpanId } from "./spans.ts";
export type { RunEngineDeps, RunEngineOptions } from "./options.ts";
