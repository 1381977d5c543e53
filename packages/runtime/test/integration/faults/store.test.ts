import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";

import { startFakeProvider } from "../../fakes/fake-provider/index.ts";
import { createTestNode, waitFor } from "../../harness/index.ts";
import type { TestNode } from "../../harness/index.ts";
import { agentOn, ask, begin, run, runReaches } from "./answers.ts";
import { expectHealthy, shareNode } from "./shared-node.ts";
