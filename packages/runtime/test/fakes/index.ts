export { manualClock, systemClock } from "./clock.ts";
export type { ManualClock } from "./clock.ts";
export { agentDefinition, toolEntry } from "./agent-definition.ts";
export { memoryConversations } from "./conversation-store.ts";
export { createFakeLoop, toolCall } from "./fake-loop-context.ts";
export type { FakeLoop, LoopScript, RecordedCall } from "./fake-loop-context.ts";
export { fakeRun } from "./run.ts";
