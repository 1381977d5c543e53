export { checkConfiguration, formatCheck } from "./check.ts";
export type { CheckReport } from "./check.ts";
export { runDaemon } from "./daemon.ts";
export type { DaemonFlags } from "./daemon.ts";
export { readVersion } from "./version.ts";
