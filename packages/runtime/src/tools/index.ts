export type { RenderTemplate } from "./builtin/index.ts";
export { createTools } from "./registry.ts";
export type { ToolFault, Tools, ToolsDeps } from "./registry.ts";
