export { startAttempt } from "./attempt.ts";
export type { Attempt } from "./attempt.ts";
export { childSignalId, childSignalName } from "./child.ts";
export type { AttemptEnd } from "./conclude.ts";
export type { AttemptDeps, ChildRuns } from "./kit.ts";
export { aboutOf, payloadOf } from "./replay.ts";
