export { createSessionMemory } from "./session-memory.ts";
export type { SessionMemoryDeps } from "./session-memory.ts";
export { repairToolCalls } from "./repair.ts";
export type { TokenEstimate } from "./strategies.ts";
