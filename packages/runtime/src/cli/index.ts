export { processIo } from "./process-io.ts";
export { runCli } from "./program.ts";
export type { CliIo } from "./io.ts";
export type { FileCheck, Local } from "./session.ts";
