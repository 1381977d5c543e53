import { describe, expect, test } from "vitest";

import { providerRequest, toolSpec } from "../../../test/fakes/models.ts";
import type { JsonObject, Message } from "../../core/index.ts";
import { ollamaEndpoint, ollamaModelName, toOllamaChat } from "./ollama-wire.ts";
import { createChunkReader } from "./openai-stream.ts";
import { toChatCompletion } from "./openai-wire.ts";

const conversation: readonly Message[] = [
  { role: "system", text: "Be kind." },
  { role: "user", text: "Look", images: [{ mediaType: "image/png", source: { data: "aGk=" } }] },
  {
    role: "assistant",
    text: "",
    thinking: "Hm.",
    toolCalls: [
      { id: "c1", name: "a", arguments: { x: 1 } },
      { id: "c2", name: "b", arguments: null, rawArguments: "{oops" },
    ],
  },
  { role: "tool", toolCallId: "c1", toolName: "a", ok: true, text: "one" },
  { role: "assistant", text: "Done." },
];
const schema = { type: "object" };

describe("a request to Ollama", () => {
  test("carries the conversation in its own words", () => {
    expect(toOllamaChat(providerRequest({ messages: conversation }))["messages"]).toEqual([
      { role: "system", content: "Be kind." },
      { role: "user", content: "Look", images: ["aGk="] },
      {
        role: "assistant",
        content: "",
        thinking: "Hm.",
        tool_calls: [
          { id: "c1", function: { name: "a", arguments: { x: 1 } } },
          { id: "c2", function: { name: "b", arguments: {} } },
        ],
      },
      { role: "tool", tool_name: "a", tool_call_id: "c1", content: "one" },
      { role: "assistant", content: "Done." },
    ]);
  });

  test("puts parameters where they belong", () => {
    const parameters = {
      temperature: 0.5,
      max_tokens: 9,
      stop: "x",
      seed: 7,
      num_ctx: 4_096,
      think: false,
      keep_alive: "5m",
    };
    expect(toOllamaChat(providerRequest({ parameters }))).toMatchObject({
      options: { temperature: 0.5, num_predict: 9, stop: ["x"], seed: 7, num_ctx: 4_096 },
      think: false,
      keep_alive: "5m",
    });
    expect(toOllamaChat(providerRequest())).not.toHaveProperty("think");
  });

  test("asks for the output's schema, unless that would keep the model from calling tools", () => {
    const request = providerRequest({ outputSchema: schema });
    expect(toOllamaChat(request)).toMatchObject({ format: schema });
    expect(toOllamaChat({ ...request, tools: [toolSpec("a")] })).not.toHaveProperty("format");
  });

  test("takes images from data addresses, and refuses others", () => {
    const look = (url: string) =>
      toOllamaChat(
        providerRequest({
          messages: [{ role: "user", text: "", images: [{ mediaType: "image/png", source: { url } }] }],
        }),
      );
    expect(look("data:image/png;base64,aGk=")).toMatchObject({ messages: [{ images: ["aGk="] }] });
    expect(() => look("https://example.org/a.png")).toThrow("Ollama takes images as data only");
  });

  test.each([
    ["llama3.2", "llama3.2:latest"],
    ["llama3.2:1b", "llama3.2:1b"],
    ["host:5000/library/tiny", "host:5000/library/tiny:latest"],
  ])("%s means %s", (model, full) => {
    expect(ollamaModelName(model)).toBe(full);
  });

  test.each([
    ["localhost", "http://localhost:11434"],
    ["localhost:8080", "http://localhost:8080"],
    ["host:80", "http://host"],
    [":5000", "http://localhost:5000"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["http://host", "http://host"],
    ["https://host/ollama/", "https://host/ollama"],
  ])("OLLAMA_HOST %s means %s", (text, url) => {
    expect(ollamaEndpoint(text)).toBe(url);
  });
});

describe("a request to OpenAI", () => {
  test("carries the conversation in its own words", () => {
    expect(toChatCompletion(providerRequest({ messages: conversation }), "max_tokens")["messages"]).toEqual([
      { role: "system", content: "Be kind." },
      {
        role: "user",
        content: [
          { type: "text", text: "Look" },
          { type: "image_url", image_url: { url: "data:image/png;base64,aGk=" } },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "c1", type: "function", function: { name: "a", arguments: '{"x":1}' } },
          { id: "c2", type: "function", function: { name: "b", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "c1", content: "one" },
      { role: "assistant", content: "Done." },
    ]);
  });

  test("names the limit as the server knows it; a parameter that is null leaves a member out", () => {
    const request = providerRequest({
      parameters: { max_tokens: 9, top_k: 3, stream_options: null },
      outputSchema: schema,
    });
    const body = toChatCompletion(request, "max_completion_tokens");
    expect(body).toMatchObject({ max_completion_tokens: 9, top_k: 3, response_format: { json_schema: { schema } } });
    expect(body).not.toHaveProperty("max_tokens");
    expect(body).not.toHaveProperty("stream_options");
  });
});

describe("an answer of OpenAI", () => {
  const read = (...choices: readonly JsonObject[]) => {
    const reader = createChunkReader(() => "made");
    const events = choices.flatMap((choice) => reader.read({ choices: [choice] }));
    return { events, finish: reader.finish() };
  };
  const part = (call: JsonObject, reason: string | null = null) => ({
    delta: { tool_calls: [call] },
    finish_reason: reason,
  });

  test("a call in pieces is told when it is whole", () => {
    const { events, finish } = read(
      part({ index: 0, id: "c1", function: { name: "a", arguments: "" } }),
      part({ index: 1, id: "c2", function: { name: "b", arguments: '{"y"' } }),
      part({ index: 0, function: { arguments: '{"x": 1}' } }),
      part({ index: 1, function: { arguments: ": 2}" } }),
      { delta: {}, finish_reason: "tool_calls" },
    );
    expect(events).toEqual([
      { type: "tool_call", call: { id: "c1", name: "a", arguments: { x: 1 } } },
      { type: "tool_call", call: { id: "c2", name: "b", arguments: { y: 2 } } },
    ]);
    expect(finish).toEqual({ type: "finish", reason: "tool_calls", usage: null });
  });

  test("servers without indexes, without ids, with objects, and with the wrong reason", () => {
    const { events, finish } = read(
      part({ id: "c1", function: { name: "a", arguments: '{"x"' } }),
      part({ function: { arguments: ": 1}" } }),
      part({ id: "c2", function: { name: "b", arguments: {} } }),
      part({ index: 7, function: { name: "c" } }, "stop"),
    );
    expect(events.map((event) => (event.type === "tool_call" ? event.call : null))).toEqual([
      { id: "c1", name: "a", arguments: { x: 1 } },
      { id: "c2", name: "b", arguments: {} },
      { id: "made", name: "c", arguments: {} },
    ]);
    expect(finish).toMatchObject({ reason: "tool_calls" });
  });

  test("content in parts, refusals, and why it ended", () => {
    const { events, finish } = read(
      {
        delta: {
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
      },
      { delta: { refusal: "no" }, finish_reason: "content_filter" },
    );
    expect(events).toEqual([
      { type: "text", text: "ab" },
      { type: "text", text: "no" },
    ]);
    expect(finish).toMatchObject({ reason: "content_filter" });
    expect(read({ delta: { content: "x" }, finish_reason: null }).finish).toBeNull();
  });
});
