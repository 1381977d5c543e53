import { describe, expect, it } from "vitest";

import { manualClock } from "../../test/fakes/index.ts";
import { formatFrame, sseStream } from "./sse.ts";
import type { SseFrame } from "./sse.ts";

/** A source that the test feeds, and what it saw of its reader. */
function createSource() {
  const waiting: ((result: IteratorResult<SseFrame>) => void)[] = [];
  const seen = { asked: 0, returned: 0, signal: null as AbortSignal | null };
  const source: AsyncIterable<SseFrame> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        seen.asked += 1;
        return new Promise((resolve) => waiting.push(resolve));
      },
      return: async () => {
        seen.returned += 1;
        return { done: true, value: undefined };
      },
    }),
  };
  return {
    seen,
    open: (signal: AbortSignal) => {
      seen.signal = signal;
      return source;
    },
    say: (data: string) => waiting.shift()?.({ done: false, value: { event: "e", data } }),
    end: () => waiting.shift()?.({ done: true, value: undefined }),
  };
}

function serve(source = createSource()) {
  const clock = manualClock();
  const closing = new AbortController();
  const left: string[] = [];
  const stream = sseStream(source.open, {
    clock,
    keepAliveMs: 15_000,
    closing: closing.signal,
    onDisconnect: () => void left.push("left"),
    onError: (error) => void left.push(String(error)),
  });
  const reader = stream.getReader();
  const read = async (): Promise<string | null> => {
    const { done, value } = await reader.read();
    return done ? null : new TextDecoder().decode(value);
  };
  return { source, clock, closing, left, reader, read };
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("formatFrame", () => {
  it("writes id, event and data", () => {
    expect(formatFrame({ id: "r:1:2", event: "token", data: "{}" })).toBe("id: r:1:2\nevent: token\ndata: {}\n\n");
    expect(formatFrame({ event: "log", data: "{}" })).toBe("event: log\ndata: {}\n\n");
  });
});

describe("sseStream", () => {
  it("asks its source for nothing before its reader wants it", async () => {
    const { source, read } = serve();
    await turn();
    expect(source.seen.asked).toBe(0);
    const first = read();
    source.say("1");
    expect(await first).toBe("event: e\ndata: 1\n\n");
    await turn();
    expect(source.seen.asked).toBe(1);
  });

  it("keeps what arrived while a keep-alive answered the reader", async () => {
    const { source, clock, read } = serve();
    const first = read();
    await turn();
    clock.advance(15_000);
    expect(await first).toBe(": keep-alive\n\n");
    source.say("late");
    await turn();
    expect(source.seen.asked).toBe(1);
    expect(await read()).toBe("event: e\ndata: late\n\n");
  });

  it("sends no keep-alives to a reader that does not read", async () => {
    const { source, clock, read } = serve();
    for (let round = 0; round < 5; round += 1) {
      clock.advance(15_000);
      await turn();
    }
    const first = read();
    source.say("1");
    expect(await first).toBe("event: e\ndata: 1\n\n");
  });

  it("ends with its source", async () => {
    const { source, left, read } = serve();
    const first = read();
    await turn();
    source.end();
    expect(await first).toBeNull();
    expect(source.seen).toMatchObject({ returned: 1, signal: { aborted: true } });
    expect(left).toEqual([]);
  });

  it("says goodbye when the node closes, also to a reader that comes back later", async () => {
    for (const reads of [true, false]) {
      const { source, closing, left, read } = serve();
      const first = reads ? read() : null;
      await turn();
      closing.abort();
      expect(await (first ?? read())).toBe(": the node is shutting down, connect again\n\n");
      expect(await read()).toBeNull();
      expect(source.seen.signal?.aborted).toBe(true);
      expect(left).toEqual([]);
    }
  });

  it("lets go of its source when the reader leaves, waiting or not", async () => {
    for (const reads of [true, false]) {
      const { source, left, reader, read } = serve();
      const pending = reads ? read() : null;
      await turn();
      await reader.cancel();
      await pending;
      expect(left).toEqual(["left"]);
      expect(source.seen).toMatchObject({ returned: 1, signal: { aborted: true } });
      source.say("too late");
      await turn();
      expect(left).toEqual(["left"]);
    }
  });

  it("reports a source that breaks and ends", async () => {
    const broken = createSource();
    const source = {
      ...broken,
      open: () => ({
        async *[Symbol.asyncIterator](): AsyncGenerator<SseFrame> {
          throw new Error("broken");
        },
      }),
    };
    const { left, read } = serve(source);
    expect(await read()).toBeNull();
    expect(left).toEqual(["Error: broken"]);
  });
});
