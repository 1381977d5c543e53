import { z } from "zod";

/** Where a run stands. */
export const runStatus = z
  .enum(["queued", "running", "waiting", "completed", "failed", "cancelled"])
  .meta({ id: "RunStatus" });

/** Why a run ended. */
export const stopReason = z
  .enum(["end", "max_iterations", "budget", "timeout", "guardrail", "error", "poison", "cancelled"])
  .meta({ id: "StopReason", description: "`max_iterations` and `budget` are completed runs with a partial result" });

/** What a waiting run waits for. */
export const waitReason = z
  .enum(["timer", "signal", "approval", "child", "ambiguous", "retry"])
  .meta({ id: "WaitReason" });
