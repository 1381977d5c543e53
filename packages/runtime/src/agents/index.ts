export { createContextBuilder } from "./context-builder.ts";
export type { ContextBuilderDeps } from "./context-builder.ts";
export { createAgentRegistry } from "./registry.ts";
export type { AgentRegistry, FileAgents } from "./registry.ts";
export type { TemplateFault } from "./template-messages.ts";
export { createTemplates } from "./templates.ts";
export type { RenderRequest, Templates, TemplatesOptions } from "./templates.ts";
