/**
 * The harness of everything that needs real daemons: integration tests, chaos, clusters, bench.
 *
 * - `createTestNode` sets up one astromeshd with its own directory, configuration, data and port; `start`, `stop`
 *   (SIGTERM), `kill` (SIGKILL), `pause` and `resume` act on the real process by its pid. Files may be changed between
 *   two starts, or under a running node before a SIGHUP. `dispose` leaves nothing behind.
 * - `startFaultProxy` stands between two processes and cuts, delays or swallows what they say.
 * - `spawnChild` starts any other process and keeps what it says.
 * - `waitFor` waits for a named condition with a deadline; nothing else waits by time.
 *
 * Fakes of what a node talks to (model servers, collectors, webhooks) are in ../fakes.
 */
export { spawnChild } from "./child-process.ts";
export type { TestChild } from "./child-process.ts";
export { startFaultProxy } from "./fault-proxy.ts";
export type { Fault, FaultProxy } from "./fault-proxy.ts";
export { createTestNode, daemonCommand } from "./node-process.ts";
export type { LogRecord, NodeOptions, TestNode, TestRequest } from "./node-process.ts";
export { waitFor } from "./wait-for.ts";
