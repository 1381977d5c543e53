import { expect, it } from "vitest";

import { askOnce, finish, openLabStore, withLab } from "../../test/fakes/run-lab.ts";
import type { FakeModel } from "../../test/fakes/run-lab.ts";
import { AstromeshError } from "../core/index.ts";
import type { RunStore } from "../core/ports/index.ts";

/** A store whose next create reaches the disk while its answer is lost, as when a connection breaks. */
function losingAnswers(inner: RunStore): { readonly store: RunStore; readonly loseNext: () => void } {
  let lose = false;
  const create: RunStore["create"] = async (run) => {
    const outcome = await inner.create(run);
    if (!lose) return outcome;
    lose = false;
    throw new AstromeshError("store_unavailable", "The connection broke.");
  };
  const store = new Proxy(inner, {
    get: (target, name) => (name === "create" ? create : Reflect.get(target, name)),
  });
  return {
    store,
    loseNext: () => {
      lose = true;
    },
  };
}

it("a run whose create reached the disk and whose answer was lost is worked on, also while other leases are renewed", async () => {
  const opened = await openLabStore();
  const { store, loseNext } = losingAnswers(opened.store.runs);
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  // The first run keeps the node renewing; the others answer at once.
  const model: FakeModel = async function* answer(call) {
    if (call.messages.some(({ text }) => text === "wait")) await gate;
    yield { type: "text", text: "here" };
    yield finish();
  };
  try {
    await withLab({ store, pattern: askOnce, model, options: { leaseMs: 60_000, leaseRenewMs: 20 } }, async (lab) => {
      const long = await lab.submit({ query: "wait" });
      loseNext();
      await expect(lab.submit({ query: "hello" })).rejects.toMatchObject({ code: "store_unavailable" });
      const [stray] = await store.list({ limit: 1 });
      expect(stray).toMatchObject({ status: "running", attempt: 1 });
      expect(await lab.ended(stray?.runId ?? "")).toMatchObject({ status: "completed", response: "here", attempt: 2 });
      open();
      expect(await lab.ended(long.runId)).toMatchObject({ status: "completed", attempt: 1 });
    });
  } finally {
    await opened.close();
  }
});
