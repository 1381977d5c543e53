export { createRunEngine } from "./engine.ts";
export type { RunEngine, RunEngineStatus } from "./engine.ts";
export { SILENT_OBSERVER } from "./observer.ts";
export type { ObservedEffect, ObservedRun, RunObserver } from "./observer.ts";
export { RUN_ENGINE_DEFAULTS } from "./options.ts";
export type { RunEngineDeps, RunEngineOptions } from "./options.ts";
