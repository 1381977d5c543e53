import type { Register } from "../command.ts";
import { registerAgents } from "./agents.ts";
import { registerChat } from "./chat.ts";
import { registerCompletion } from "./completion.ts";
import { registerConfig } from "./config.ts";
import { registerInit } from "./init.ts";
import { registerNew } from "./new.ts";
import { registerProviders } from "./providers.ts";
import { registerRun } from "./run.ts";
import { registerRuns } from "./runs.ts";
import { registerDoctor, registerLogs, registerMetrics, registerServices, registerStatus } from "./system.ts";
import { registerTools } from "./tools.ts";
import { registerUp } from "./up.ts";
import { registerVersion } from "./version.ts";

/** Every command, in the order in which `--help` lists them. */
export const COMMANDS: readonly Register[] = [
  registerRun,
  registerChat,
  registerRuns,
  registerAgents,
  registerTools,
  registerProviders,
  registerStatus,
  registerDoctor,
  registerServices,
  registerLogs,
  registerMetrics,
  registerConfig,
  registerInit,
  registerNew,
  registerUp,
  registerVersion,
  registerCompletion,
];
