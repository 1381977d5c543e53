import { describe, expect, test } from "vitest";

import type { LogLine } from "../core/ports/index.ts";
import { createLog, withTraceContext } from "./index.ts";

interface Line {
  readonly [field: string]: unknown;
}

function openLog(options: { level?: "debug" | "info"; capacity?: number } = {}) {
  const lines: Line[] = [];
  const destination = { write: (text: string) => void lines.push(JSON.parse(text) as Line) };
  const log = createLog({ ...options, destination, clock: { now: () => 1_700_000_000_000 } });
  return { log, lines };
}

describe("lines", () => {
  test("are JSON with time, level, message and facts", () => {
    const { log, lines } = openLog();
    log.logger.child({ node: "alpha" }).warn("disk is slow", { fsync_ms: 120 });
    expect(lines).toEqual([
      { level: "warn", time: "2023-11-14T22:13:20.000Z", node: "alpha", fsync_ms: 120, msg: "disk is slow" },
    ]);
  });

  test("below the level are not written, and the level can change", () => {
    const { log, lines } = openLog();
    log.logger.debug("one");
    log.setLevel("debug");
    log.logger.debug("two");
    log.setLevel("error");
    log.logger.warn("three");
    expect(lines.map((line) => line["msg"])).toEqual(["two"]);
  });

  test("carry the ids of the work they belong to", async () => {
    const { log, lines } = openLog();
    await withTraceContext({ traceId: "t1", runId: "run_1" }, async () => {
      await Promise.resolve();
      withTraceContext({ spanId: "s1" }, () => log.logger.info("inside"));
    });
    log.logger.info("outside");
    expect(lines[0]).toMatchObject({ trace_id: "t1", span_id: "s1", run_id: "run_1" });
    expect(lines[1]).not.toHaveProperty("trace_id");
  });
});

describe("secrets", () => {
  test("are hidden by name, form and value, in the message too", () => {
    const { log, lines } = openLog();
    log.hide(["hunter2-hunter2", "short"]);
    log.logger.info("key hunter2-hunter2 in postgres://me:pa55@db/x", {
      api_key: "abc",
      headers: { Authorization: "Basic abc", "x-request": "Bearer abcdefghij" },
      nested: [{ clientSecret: "s", max_tokens: 5, token: "t" }],
      text: "sk-abcdefghijklmnopqrst and short",
      apiKey: null,
    });
    expect(lines[0]).toMatchObject({
      msg: "key [hidden] in postgres://me:[hidden]@db/x",
      api_key: "[hidden]",
      headers: { Authorization: "[hidden]", "x-request": "Bearer [hidden]" },
      nested: [{ clientSecret: "[hidden]", max_tokens: 5, token: "[hidden]" }],
      text: "[hidden] and short",
      apiKey: null,
    });
  });

  test("in errors and their causes are hidden too, and cycles end", () => {
    const { log, lines } = openLog();
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    const error = new Error("refused Bearer abcdefghij", { cause: Object.assign(new Error("inner"), { code: "E1" }) });
    log.logger.error("failed", { error, loop, big: 10n, skipped: undefined });
    expect(lines[0]).toMatchObject({
      error: { name: "Error", message: "refused Bearer [hidden]", cause: { message: "inner", code: "E1" } },
      big: "10",
    });
    expect(lines[0]).not.toHaveProperty("skipped");
  });
});

describe("the ring", () => {
  test("gives the backlog, then lines as they come, until the reader leaves", async () => {
    const { log } = openLog({ capacity: 3 });
    for (const text of ["a", "b", "c", "d"]) log.logger.info(text);
    const abort = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const line of log.ring.follow(2, abort.signal)) {
        seen.push(line.message);
        if (line.message === "e") abort.abort();
      }
    })();
    await Promise.resolve();
    log.logger.info("e");
    await reading;
    expect(seen).toEqual(["c", "d", "e"]);
    expect(log.ring.last(10).map((line) => line.message)).toEqual(["c", "d", "e"]);
  });

  test("drops the oldest lines of a slow reader and says so", async () => {
    const { log } = openLog({ capacity: 2 });
    const abort = new AbortController();
    const reader = log.ring.follow(0, abort.signal)[Symbol.asyncIterator]();
    const next = async (): Promise<LogLine> => (await reader.next()).value as LogLine;
    const first = next();
    for (const text of ["a", "b", "c", "d"]) log.logger.info(text);
    expect((await first).message).toBe("2 log lines were dropped for this reader");
    expect([(await next()).message, (await next()).message]).toEqual(["c", "d"]);
    abort.abort();
    expect((await reader.next()).done).toBe(true);
  });
});
