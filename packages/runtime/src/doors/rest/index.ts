export type { RequestFacts, RestDeps, RestOptions, ToolExecutor } from "./context.ts";
export { restDocument } from "./document.ts";
export type { OpenApiDocument } from "./document.ts";
export { createRestDoor } from "./door.ts";
export type { RestDoor } from "./door.ts";
export { invalidRequest, isDefect, REST_ERRORS, toErrorAnswer } from "./errors.ts";
