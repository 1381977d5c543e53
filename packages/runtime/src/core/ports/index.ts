export type { AgentAdmin, AgentCheck } from "./agent-admin.ts";
export type { AgentStore, StoredAgent } from "./agent-store.ts";
export type { CacheStore } from "./cache-store.ts";
export type { Catalog, CatalogSource, LoadedAgent } from "./catalog.ts";
export type { ContextBuilder } from "./context-builder.ts";
export type { ConversationKey, ConversationStore, ConversationTurn } from "./conversation-store.ts";
export type { LogFields, Logger } from "./logger.ts";
export type {
  ModelCall,
  ModelCallEvent,
  ModelGateway,
  ModelProvider,
  ProviderEvent,
  ProviderHealth,
  ProviderRequest,
  ToolSpec,
} from "./model.ts";
export type {
  CreateOutcome,
  EffectKey,
  EffectKeyOutcome,
  JournalRecord,
  NewRecord,
  RecordKind,
  RecordPhase,
  Retention,
  RunChange,
  RunCreate,
  RunFilter,
  RunGuard,
  RunPatch,
  RunSignal,
  RunStore,
  SessionTurn,
  ThreadMessage,
} from "./run-store.ts";
export type {
  ConfigEntry,
  DoctorCheck,
  LogLine,
  NodeAdmin,
  ProviderStatus,
  ReloadReport,
  SystemStatus,
} from "./node-admin.ts";
export type { OfferedProvider, Peer, PeerSnapshot, PeerStatus, PeerStore, PeerView } from "./peer-view.ts";
export type { RunPlaces } from "./run-places.ts";
export type { Runs, Submitted, SubmitRequest, Timeline, TimelineSpan } from "./runs.ts";
export type { SessionMemory } from "./session-memory.ts";
export type { Store, StoreStatus } from "./store.ts";
export type { Tool, ToolListing, ToolOutcome, ToolRegistry, ToolScope } from "./tool.ts";
