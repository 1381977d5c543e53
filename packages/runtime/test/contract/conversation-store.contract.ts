import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ConversationKey, ConversationStore, ConversationTurn, Store } from "../../src/core/ports/index.ts";
import { sampleIds } from "../fakes/sample-run.ts";
import { claimedRun, record } from "./run-steps.ts";
import { openStore } from "./store-under-test.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

function turn(at: number, text = `said at ${at}`): ConversationTurn {
  return {
    runId: `run_${at}`,
    at,
    messages: [
      { role: "user", text },
      { role: "assistant", text: "Noted.", toolCalls: [{ id: "c", name: "t", arguments: null, rawArguments: "{" }] },
    ],
  };
}

/** The contract of ConversationStore, held by every implementation. */
export function conversationStoreContract(under: StoreUnderTest): void {
  describe(`conversation store: ${under.name}`, () => {
    let store: Store;
    let conversations: ConversationStore;
    const newKey = (): ConversationKey => ({ agent: "a", principalId: "p", sessionId: sampleIds.session() });

    beforeAll(async () => {
      store = await openStore(under);
      conversations = store.conversations;
    });
    afterAll(() => store.stop());

    it("recalls the newest turns, oldest of them first", async () => {
      const key = newKey();
      for (const at of [2, 1, 4, 3]) await conversations.remember(key, turn(at));
      expect(await conversations.recall(key, 3)).toEqual([turn(2), turn(3), turn(4)]);
      expect(await conversations.recall(key, 99)).toHaveLength(4);
      expect(await conversations.recall(key, 0)).toEqual([]);
    });

    it("remembers a run once", async () => {
      const key = newKey();
      await Promise.all([1, 2, 3].map(() => conversations.remember(key, turn(1))));
      await conversations.remember(key, turn(1, "another text"));
      expect(await conversations.recall(key, 9)).toEqual([turn(1)]);
    });

    it("remembers what a step of a run tells it, and nothing of a step that is refused", async () => {
      const key = newKey();
      const guard = await claimedRun(store.runs);
      await store.runs.append(guard, { turns: [{ key, turn: turn(1) }], records: [record("0")] });
      const late = store.runs.append({ ...guard, epoch: guard.epoch + 1 }, { turns: [{ key, turn: turn(2) }] });
      await expect(late).rejects.toMatchObject({ code: "stale_epoch" });
      expect(await conversations.recall(key, 9)).toEqual([turn(1)]);
    });

    it("forgets a session and says how much", async () => {
      const [key, other] = [newKey(), newKey()];
      for (const at of [1, 2]) await conversations.remember(key, turn(at));
      await conversations.remember(other, turn(1));
      expect(await conversations.clear(key)).toBe(2);
      expect(await conversations.clear(key)).toBe(0);
      expect(await conversations.recall(key, 9)).toEqual([]);
      expect(await conversations.recall(other, 9)).toHaveLength(1);
    });

    it("keeps keys apart, whatever characters they hold", async () => {
      const parts = [
        "a",
        "a:b",
        "b",
        ":",
        "a\u0000",
        "a\u0000b",
        "\ud800",
        "\udfff",
        "\ufffd",
        "ä",
        "a\u0308",
        "\ue01a",
        "\ue01ad800",
        "A",
        "a ",
        "%",
        "'",
      ];
      const keys = parts.flatMap((sessionId) => [
        { agent: "k", principalId: "p", sessionId },
        { agent: "k", principalId: sessionId, sessionId: "p" },
      ]);
      for (const [at, key] of keys.entries()) await conversations.remember(key, turn(at));
      const recalled = await Promise.all(keys.map((key) => conversations.recall(key, 9)));
      expect(recalled).toEqual(keys.map((_, at) => [turn(at)]));
    });
  });
}
