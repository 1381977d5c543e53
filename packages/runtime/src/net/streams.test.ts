import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { readLines } from "./lines.ts";
import { readSse } from "./sse.ts";

/** The bytes of a text in pieces of these sizes, over and over. */
async function* inPieces(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const batch of batches) items.push(...batch);
  return items;
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map((text) => text.replaceAll(/\s/g, "x"));

describe("readLines", () => {
  test("finds the same lines however the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word), sizes, fc.constantFrom("\n", "\r\n"), async (lines, cuts, end) => {
        expect(await all(readLines(inPieces(lines.join(end), cuts), 1_000))).toEqual(lines);
        expect(await all(readLines(inPieces(lines.map((line) => line + end).join(""), cuts), 1_000))).toEqual(lines);
      }),
    );
  });

  test("leaves empty lines out, and refuses to keep an endless one", async () => {
    expect(await all(readLines(inPieces("a\n\n\nb\n", [100]), 10))).toEqual(["a", "b"]);
    await expect(all(readLines(inPieces("x".repeat(100), [7]), 50))).rejects.toThrow(RangeError);
  });
});

describe("readSse", () => {
  test("finds the same events however the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word), sizes, async (data, cuts) => {
        const text = data.map((item, index) => `: comment\nid: ${index}\nevent: piece\ndata: ${item}\n\n`).join("");
        const events = await all(readSse(inPieces(text, cuts), 1_000));
        expect(events).toEqual(data.map((item, index) => ({ event: "piece", id: String(index), data: item })));
      }),
    );
  });

  test("comments are no events, and an event that was cut off is none", async () => {
    expect(await all(readSse(inPieces(": ping\n\ndata: a\n\ndata: b", [5]), 100))).toEqual([
      { event: null, id: null, data: "a" },
    ]);
  });

  test("refuses to keep an endless event", async () => {
    await expect(all(readSse(inPieces(`data: ${"x".repeat(500)}`, [7]), 50))).rejects.toThrow(RangeError);
  });
});
