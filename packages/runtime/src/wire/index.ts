export { meshReply, meshRequest } from "./mesh.ts";
