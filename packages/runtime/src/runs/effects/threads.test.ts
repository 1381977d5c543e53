import * as fc from "fast-check";
import { expect, it } from "vitest";

import type { Message } from "../../core/index.ts";
import { createThreads } from "./threads.ts";

const message = (index: number): Message => ({ role: "user", text: String(index) });

it("puts messages at their places, though the store tells them without and some are missing", async () => {
  const places = fc.uniqueArray(fc.nat(20)).map((some) => some.toSorted((a, b) => a - b));
  await fc.assert(
    fc.asyncProperty(places, fc.array(fc.nat(21)), async (places, lengths) => {
      const thread = async (_run: string, _thread: string, from: number, to: number): Promise<Message[]> =>
        places.filter((place) => place >= from && place < to).map(message);
      const threads = createThreads({ thread }, "r", false);
      for (const length of lengths) {
        expect(await threads.read("t", 0, length)).toEqual(places.filter((place) => place < length).map(message));
        expect(await threads.at("t", length)).toEqual(places.includes(length) ? message(length) : null);
      }
    }),
  );
});

it("asks the store once for what the journal says is there", async () => {
  let reads = 0;
  const thread = async (_run: string, _thread: string, from: number, to: number): Promise<Message[]> => {
    reads += 1;
    return Array.from({ length: to - from }, (_, index) => message(from + index));
  };
  const threads = createThreads({ thread }, "r", false);
  threads.expect("t", 100);
  for (let index = 0; index < 100; index += 1) expect(await threads.at("t", index)).toEqual(message(index));
  expect(reads).toBe(1);
});

it("does not ask the store about a run that has just been made", async () => {
  const thread = async (): Promise<Message[]> => {
    throw new Error("asked");
  };
  const threads = createThreads({ thread }, "r", true);
  threads.put("t", 1, message(1));
  expect(await threads.read("t", 0, 5)).toEqual([message(1)]);
});
