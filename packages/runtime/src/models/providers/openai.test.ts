import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, expect, test } from "vitest";

import { manualClock } from "../../../test/fakes/clock.ts";
import { candidate, createTestModels, hear, never, providerRequest, textOf } from "../../../test/fakes/models.ts";
import type { Clock } from "../../core/index.ts";

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const chunk = (delta: object, reason: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
const TEXT = chunk({ content: "hello" });
const STOP = chunk({}, "stop");
const DONE = "data: [DONE]\n\n";

/** Asks a server whose answer is written by `answer`. */
async function ask(answer: (response: ServerResponse, url: string) => void, clock?: Clock, query = "") {
  const server = createServer((request, response) => {
    request.resume().once("end", () => answer(response, request.url ?? ""));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const models = createTestModels(clock === undefined ? {} : { clock });
  stops.push(models.stop, () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1${query}`;
  const { provider } = await models.registry.resolve(candidate("vllm", { endpoint }), never);
  const { events, error } = await hear(provider.stream(providerRequest(), never));
  return { text: textOf(events), last: events.at(-1), error };
}

test("a server that leaves [DONE] out, but ends its answer, is understood", async () => {
  const { text, last, error } = await ask((response) => response.end(TEXT + STOP));
  expect({ text, error }).toEqual({ text: "hello", error: null });
  expect(last).toMatchObject({ type: "finish", reason: "stop" });
});

test.each([
  ["[DONE] without a reason", (response: ServerResponse) => response.end(TEXT + DONE)],
  ["an end without a reason", (response: ServerResponse) => response.end(TEXT)],
  [
    "a connection cut after the reason, before [DONE]",
    (response: ServerResponse) => response.write(TEXT + STOP, () => response.destroy()),
  ],
  [
    "an error among the events",
    (response: ServerResponse) => response.end(`${TEXT}data: {"error": {"message": "out of memory"}}\n\n`),
  ],
  [
    "vLLM's way to say it",
    (response: ServerResponse) => response.end(`${TEXT}data: {"object": "error", "message": "out of memory"}\n\n`),
  ],
])("%s is a broken answer", async (_, answer) => {
  const { text, error } = await ask(answer);
  expect(text).toBe("hello");
  expect(error).toMatchObject({ code: "model_stream_broken" });
});

test("an error among the events is told in its own words", async () => {
  const { error } = await ask((response) => response.end('data: {"error": {"message": "out of memory"}}\n\n'));
  expect(String(error)).toContain("out of memory");
});

test("an answer that is no stream is not taken for one", async () => {
  const { error } = await ask((response) => response.end(JSON.stringify({ choices: [{ message: { content: "x" } }] })));
  expect(error).toMatchObject({ code: "model_stream_broken" });
});

test("after [DONE] a connection that stays open is not waited for", async () => {
  const clock = manualClock();
  const { last } = await ask((response) => {
    response.write(TEXT + STOP + DONE);
    const tick = setInterval(() => clock.advance(500), 5);
    response.once("close", () => clearInterval(tick));
  }, clock);
  expect(last).toMatchObject({ type: "finish", reason: "stop" });
});

test("a query in the endpoint is sent with every request", async () => {
  let asked = "";
  await ask(
    (response, url) => {
      asked = url;
      response.end(TEXT + STOP + DONE);
    },
    undefined,
    "?api-version=2026-01-01",
  );
  expect(asked).toBe("/v1/chat/completions?api-version=2026-01-01");
});
