import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Json, JsonObject } from "../../../src/core/index.ts";
import { parseScript, playScript, situationOf } from "../../../src/models/index.ts";
import type { Script, ScriptPlayer } from "../../../src/models/index.ts";
import { answer } from "./answer.ts";
import { createGates } from "./gates.ts";
import { OLLAMA, OPENAI } from "./protocols.ts";
import type { Protocol } from "./protocols.ts";
import type { FakeProvider, FakeProviderOptions, FakeRequest } from "./types.ts";

const DEADLINE_MS = 10_000;
const MOST_REQUESTS = 100_000;
const OK: Json = [{ reply: "ok", usage: { input_tokens: 1, output_tokens: 1 } }];

/** Starts a fake model server in this process. */
export async function startFakeProvider(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const models = options.models ?? ["fake:latest"];
  const record = options.record ?? true;
  const watchers = new Set<() => void>();
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const gates = createGates(changed);
  let player: ScriptPlayer = playScript(read(OK));
  let requests: FakeRequest[] = [];
  let count = 0;
  let calls = 0;

  const chat = async (request: IncomingMessage, response: ServerResponse, protocol: Protocol): Promise<void> => {
    const body = await readBody(request);
    const model = typeof body["model"] === "string" ? body["model"] : "";
    count += 1;
    if (record && requests.length < MOST_REQUESTS) {
      const entry = toEntry(request, protocol, model, body);
      requests.push(entry);
      response.once("close", () => {
        Object.assign(entry, { state: response.writableFinished ? "answered" : "left" });
        changed();
      });
    }
    changed();
    const situation = situationOf(model, protocol.messages(body));
    const rule = player.next(situation);
    if (rule === null) {
      response.writeHead(400, { "content-type": "application/json" }).end(protocol.error("no rule matches"));
      return;
    }
    const newCallId = (): string => `call_${(calls += 1)}`;
    await answer(response, { protocol, model, body, situation, rule, newCallId }, gates);
  };

  const server = createServer((request, response) => {
    const route = `${request.method} ${request.url}`;
    const small = LISTS[route];
    const protocol = route === "POST /api/chat" ? OLLAMA : route === "POST /v1/chat/completions" ? OPENAI : null;
    if (protocol !== null) {
      chat(request, response, protocol).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      });
    } else if (small === undefined) response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found");
    else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(small(models)));
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve());
    });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo;

  const until = (what: string, holds: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!holds()) return;
        clearTimeout(timer);
        watchers.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        watchers.delete(look);
        reject(new Error(`the fake provider waited ${DEADLINE_MS} ms in vain for: ${what}`));
      }, DEADLINE_MS);
      watchers.add(look);
      look();
    });

  const root = `http://127.0.0.1:${port}`;
  return {
    ollamaUrl: root,
    openAiUrl: `${root}/v1`,
    async script(script) {
      player = playScript(read(script));
    },
    hold: async (gate) => gates.hold(gate),
    reached: (gate, wanted = 1) => until(`${wanted} at the gate ${gate}`, () => gates.waiting(gate) >= wanted),
    step: async (gate) => gates.step(gate),
    release: async (gate) => gates.release(gate),
    requests: async () => [...requests],
    count: async () => count,
    async repeated() {
      const keys = requests.map((request) => request.idempotencyKey).filter((key) => key !== null);
      return [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))];
    },
    asked: (wanted) => until(`${wanted} requests`, () => count >= wanted),
    left: (wanted) =>
      until(`${wanted} clients that left`, () => requests.filter(({ state }) => state === "left").length >= wanted),
    async reset() {
      gates.releaseAll();
      player = playScript(read(OK));
      requests = [];
      count = 0;
    },
    down: close,
    up: () => listen(port),
    async stop() {
      gates.releaseAll();
      await close();
    },
  };
}

/** The small documents that are not answers of a model. */
const LISTS: Readonly<Record<string, (models: readonly string[]) => JsonObject>> = {
  "GET /api/version": () => ({ version: "0.0.0-fake" }),
  "GET /api/tags": (models) => ({ models: models.map((name) => ({ name, model: name })) }),
  "POST /api/show": () => ({ capabilities: ["completion", "tools"] }),
  "GET /v1/models": (models) => ({ object: "list", data: models.map((id) => ({ id, object: "model" })) }),
};

function read(data: Json): Script {
  const parsed = parseScript(data);
  if (parsed.ok) return parsed.script;
  throw new Error(`the script has faults: ${JSON.stringify(parsed.errors)}`);
}

async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as JsonObject;
}

function toEntry(request: IncomingMessage, protocol: Protocol, model: string, body: JsonObject): FakeRequest {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const idempotencyKey = headers["idempotency-key"] ?? null;
  return { protocol: protocol === OLLAMA ? "ollama" : "openai", model, idempotencyKey, headers, body, state: "open" };
}
