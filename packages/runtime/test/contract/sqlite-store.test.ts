import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll } from "vitest";

import { createSqliteStore } from "../../src/store/index.ts";
import { agentStoreContract } from "./agent-store.contract.ts";
import { cacheStoreContract } from "./cache-store.contract.ts";
import { conversationStoreContract } from "./conversation-store.contract.ts";
import { runStoreContract } from "./run-store.contract.ts";
import { storeDeps } from "./store-under-test.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

const folder = mkdtempSync(join(tmpdir(), "astromesh-sqlite-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const sqlite: StoreUnderTest = {
  name: "SQLite",
  create: async () => {
    files += 1;
    return createSqliteStore({ ...storeDeps, path: join(folder, "data", `${files}.db`) });
  },
};

runStoreContract(sqlite);
conversationStoreContract(sqlite);
agentStoreContract(sqlite);
cacheStoreContract(sqlite);
