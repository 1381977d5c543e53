export type { NodeDoorApp, NodeDoorDeps, NodeDoorOptions } from "./context.ts";
export { createNodeDoor } from "./door.ts";
