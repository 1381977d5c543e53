import type { components, operations } from "./generated/api.ts";

type Schemas = components["schemas"];
type Query<O extends keyof operations> = NonNullable<operations[O]["parameters"]["query"]>;

/** A run as it stands. */
export type Run = Schemas["Run"];
/** A page of runs. */
export type RunPage = Schemas["RunPage"];
/** The answer of a run that completed while its client waited. */
export type RunAnswer = Schemas["RunAnswer"];
/** A run that is on disk and has no answer yet. */
export type RunAccepted = Schemas["RunAccepted"];
/** What a run tells those who watch it. */
export type RunEvent = Schemas["RunEvent"];
/** What to ask of an agent, and how to wait. */
export type AgentRunRequest = Omit<Schemas["AgentRunRequest"], "stream">;
/** A run to begin. */
export type RunSubmitRequest = Schemas["RunSubmitRequest"];
/** A run's journal. */
export type Journal = Schemas["Journal"];
/** Which runs to list. */
export type RunQuery = Query<"listRuns">;
/** A message to a run. */
export type SignalRequest = Schemas["SignalRequest"];
/** A person's word on a call that waits for one. */
export type ApprovalRequest = Schemas["ApprovalRequest"];
/** What became of an effect whose outcome a crash hid. */
export type ResolveRequest = Schemas["ResolveRequest"];
/** An agent in the list. */
export type AgentSummary = Schemas["AgentSummary"];
/** The agents of a node. */
export type AgentList = Schemas["AgentList"];
/** An agent with its definition. */
export type Agent = Schemas["Agent"];
/** An agent file as JSON. */
export type AgentDocument = Schemas["AgentDocument"];
/** What a check of a definition found. */
export type AgentCheck = Schemas["AgentCheck"];
/** What a session remembers. */
export type SessionHistory = Schemas["SessionHistory"];
/** What clearing a session did. */
export type SessionCleared = Schemas["SessionCleared"];
/** A list of tools. */
export type ToolList = Schemas["ToolList"];
/** A tool's call outside a run. */
export type ToolExecuteRequest = Schemas["ToolExecuteRequest"];
/** What a tool returned. */
export type ToolExecuted = Schemas["ToolExecuted"];
/** The newest traces. */
export type TraceList = Schemas["TraceList"];
/** The runs of a trace and their timeline. */
export type Trace = Schemas["Trace"];
/** A node's health. */
export type Health = Schemas["HealthDetail"];
/** Whether a node takes work. */
export type Ready = Schemas["Ready"];
/** A node's state. */
export type SystemStatus = Schemas["SystemStatus"];
/** What `doctor` found. */
export type Doctor = Schemas["Doctor"];
/** What a reload did. */
export type Reload = Schemas["Reload"];
/** The model providers. */
export type ProviderList = Schemas["ProviderList"];
/** The settings. */
export type Config = Schemas["Config"];
/** A line of the log. */
export type LogLine = Schemas["LogLine"];
