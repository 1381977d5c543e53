import { expect, test } from "vitest";

import { chooseName } from "./naming.ts";

const others = (...names: [id: string, name: string][]) => names.map(([id, name]) => ({ id, name }));

test("a free name is kept, and so is one that only later ids have", () => {
  expect(chooseName({ id: "b", name: "worker" }, others(["a", "gateway"]), "worker")).toBe("worker");
  expect(chooseName({ id: "b", name: "worker" }, others(["c", "worker"]), "worker")).toBe("worker");
});

test("a taken name gets the first free suffix", () => {
  expect(chooseName({ id: "c", name: "worker" }, others(["a", "worker"], ["b", "worker-2"]), "worker")).toBe(
    "worker-3",
  );
});

test("those that clash at once take different suffixes", () => {
  const all = others(["a", "worker"], ["b", "worker"], ["c", "worker"]);
  const chosen = all.map((own) =>
    chooseName(
      own,
      all.filter((other) => other !== own),
      "worker",
    ),
  );
  expect(chosen).toEqual(["worker", "worker-2", "worker-3"]);
});

test("the label is the configured name, whatever it looks like", () => {
  expect(chooseName({ id: "b", name: "gpu-1" }, others(["a", "gpu-1"]), "gpu-1")).toBe("gpu-1-2");
});
