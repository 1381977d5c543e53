export {
  agentCheck,
  agentCheckToWire,
  agentDetail,
  agentDetailToWire,
  agentDocument,
  agentList,
  agentRemoved,
  agentToWire,
  rejectedToWire,
} from "./agent.ts";
export type { AgentDetail, AgentSummary } from "./agent.ts";
export { errorBody, errorCode } from "./error.ts";
export type { ErrorBody, Fault, RunError } from "./error.ts";
export { agentName, idempotencyKey, sessionId } from "./identifiers.ts";
export { journalBody, journalToWire } from "./journal.ts";
export type { JournalBody } from "./journal.ts";
export { MAX_JSON_DEPTH } from "./json.ts";
export { sessionCleared, sessionHistory, turnToWire } from "./memory.ts";
export type { MessageBody, SessionHistory } from "./memory.ts";
export {
  configBody,
  doctorBody,
  doctorToWire,
  healthBody,
  healthDetail,
  logLine,
  logLineToWire,
  providerList,
  providersToWire,
  readyBody,
  reloadBody,
  reloadToWire,
  systemStatus,
  systemStatusToWire,
} from "./node.ts";
export type { LogLineBody } from "./node.ts";
export { PEER_HEADERS, peerContext, peerStatus } from "./peer.ts";
export type { PeerContext, PeerStatusBody } from "./peer.ts";
export {
  catalogToPeer,
  loadedAgentToPeer,
  peerAgent,
  peerAgentName,
  peerAgentPut,
  peerCatalog,
  peerCleared,
  peerClearRequest,
  peerHistory,
  peerHistoryRequest,
} from "./peer-agent.ts";
export { peerModelCall, peerModelEvent } from "./peer-model.ts";
export type { PeerModelEvent } from "./peer-model.ts";
export {
  peerJournal,
  peerRunAnswer,
  peerRunFilter,
  peerRunId,
  peerRunList,
  peerSettle,
  peerSignal,
  peerSubmit,
  peerSubmitted,
  peerTimeline,
  peerTraceId,
  peerWatch,
  streamEventFromPeer,
  streamEventToPeer,
} from "./peer-run.ts";
export { redact, redactText } from "./redact.ts";
export { formatEventId, parseEventId, runEventBody, runEventFromWire, runEventToWire } from "./run-event.ts";
export type { RunEventBody, StreamPlace } from "./run-event.ts";
export {
  agentRunRequest,
  approvalRequest,
  resolveRequest,
  runAccepted,
  runInputFromWire,
  runSubmitRequest,
  signalRequest,
} from "./run-request.ts";
export type { Question, RunAccepted } from "./run-request.ts";
export { runStatus, stopReason, waitReason } from "./run-status.ts";
export { foldToolCalls, runAnswer, runAnswerToWire, runBody, runPage, runToWire } from "./run.ts";
export type { RunAnswer, RunBody, ToolCallSummary } from "./run.ts";
export { effectClass, toolExecuted, toolExecuteRequest, toolList, toolSource, toolToWire } from "./tool.ts";
export type { ToolListingBody } from "./tool.ts";
export { traceBody, traceList, traceSummaryToWire, traceToWire } from "./trace.ts";
export type { UsageBody } from "./usage.ts";
export { meshReply, meshRequest } from "./mesh.ts";
