import { expect, test } from "vitest";

import { fakeCliIo } from "../../../test/fakes/fake-cli-io.ts";
import { renderCard, renderTable } from "./table.ts";

const content = {
  head: ["Name", "Role", "Status"],
  rows: [
    ["gateway", "gateway", "● Alive"],
    ["inference", "infrnc", "● Alive"],
  ],
  empty: "No nodes.",
};

test("a terminal gets boxes", () => {
  expect(renderTable(fakeCliIo({ isTty: true }).io, content)).toBe(
    [
      "┌───────────┬─────────┬─────────┐",
      "│ Name      │ Role    │ Status  │",
      "├───────────┼─────────┼─────────┤",
      "│ gateway   │ gateway │ ● Alive │",
      "│ inference │ infrnc  │ ● Alive │",
      "└───────────┴─────────┴─────────┘",
      "",
    ].join("\n"),
  );
});

test("a pipe gets aligned columns without trailing spaces", () => {
  expect(renderTable(fakeCliIo({ isTty: false }).io, content)).toBe(
    ["NAME       ROLE     STATUS", "gateway    gateway  ● Alive", "inference  infrnc   ● Alive", ""].join("\n"),
  );
});

test("an empty table is a sentence", () => {
  expect(renderTable(fakeCliIo({ isTty: true }).io, { ...content, rows: [] })).toBe("No nodes.\n");
});

test("a card on a terminal has its title in the box", () => {
  const card = {
    title: "Mesh Status",
    rows: [
      ["Cluster size", "3"],
      ["Leader", "gateway"],
    ] as const,
  };
  expect(renderCard(fakeCliIo({ isTty: true }).io, card)).toBe(
    [
      "┌────────────────────────┐",
      "│      Mesh Status       │",
      "├──────────────┬─────────┤",
      "│ Cluster size │ 3       │",
      "│ Leader       │ gateway │",
      "└──────────────┴─────────┘",
      "",
    ].join("\n"),
  );
  expect(renderCard(fakeCliIo({ isTty: false }).io, card)).toBe("Cluster size  3\nLeader        gateway\n");
});
