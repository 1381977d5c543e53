import { afterAll, beforeAll } from "vitest";

import { createPostgresStore } from "../../src/store/index.ts";
import { startPostgres } from "../fakes/embedded-postgres.ts";
import type { TestPostgres } from "../fakes/embedded-postgres.ts";
import { agentStoreContract } from "./agent-store.contract.ts";
import { cacheStoreContract } from "./cache-store.contract.ts";
import { conversationStoreContract } from "./conversation-store.contract.ts";
import { runStoreContract } from "./run-store.contract.ts";
import { storeDeps } from "./store-under-test.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

let server: TestPostgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const postgres: StoreUnderTest = {
  name: "PostgreSQL",
  create: async () => createPostgresStore({ ...storeDeps, url: await server.createDatabase() }),
};

runStoreContract(postgres);
conversationStoreContract(postgres);
agentStoreContract(postgres);
cacheStoreContract(postgres);
