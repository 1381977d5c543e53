export { PATTERNS, ROUTING_STRATEGIES } from "./agent.ts";
export type {
  AgentDefinition,
  AgentMemory,
  AgentSchedule,
  ConversationalMemory,
  Guardrail,
  ModelCandidate,
  ModelPolicy,
  PatternName,
  PinnedDefinition,
  RejectedAgent,
  RequestContext,
  RoutingStrategy,
  RunBudget,
  SecretRef,
  ToolEntry,
  ToolSource,
} from "./agent.ts";
export type {
  ContextEffect,
  ContextResult,
  EffectClass,
  EffectKind,
  EffectRequest,
  EffectResultOf,
  EffectResults,
  FinishReason,
  ModelEffect,
  ModelResult,
  RememberEffect,
  SayEffect,
  ToolEffect,
  ToolResult,
} from "./effect.ts";
export { AstromeshError, ERROR_CODES, fromErrorRecord, toAstromeshError, toErrorRecord } from "./errors.ts";
export type { ErrorCode, ErrorOptions, ErrorRecord } from "./errors.ts";
export { isFinal } from "./events.ts";
export type { RunEvent, StreamEvent } from "./events.ts";
export { createIds } from "./ids.ts";
export type { Ids, Random } from "./ids.ts";
export { canonicalJson, isJsonArray, isJsonObject } from "./json.ts";
export type { Json, JsonObject } from "./json.ts";
export type {
  ChildOutcome,
  ChildRequest,
  LoopContext,
  LoopInput,
  LoopOutcome,
  Pattern,
  SignalOutcome,
} from "./loop.ts";
export type { ImagePart, Message, ToolCall } from "./message.ts";
export { ROLES, SERVICE_NAMES } from "./node.ts";
export type { NodeIdentity, Role, ServiceName, Services, StaticPeer } from "./node.ts";
export { hasScope, LOCAL_PRINCIPAL, SCOPES } from "./principal.ts";
export type { Principal, Scope } from "./principal.ts";
export { FINAL_STATUSES, isEnded, isSettled, JOURNAL_FORMAT } from "./run.ts";
export type { EngineName, Run, RunInput, RunStatus, StopReason, WaitReason } from "./run.ts";
export { withUniqueIds } from "./tool-calls.ts";
export { createKeyring, createReplayGuard, envelopeText } from "./seal.ts";
export type { Envelope, Freshness, Keyring, Mac, MeshKey, ReplayGuard, Seal } from "./seal.ts";
export { formatDuration, parseDuration } from "./time.ts";
export type { Clock } from "./time.ts";
export { formatTraceparent, parseTraceparent } from "./traceparent.ts";
export type { TraceParent } from "./traceparent.ts";
export { addUsage, NO_USAGE } from "./usage.ts";
export type { Usage } from "./usage.ts";
