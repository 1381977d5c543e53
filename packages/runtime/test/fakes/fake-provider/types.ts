import type { Json, JsonObject } from "../../../src/core/index.ts";

/** How to start one. */
export interface FakeProviderOptions {
  /** @default any free port */
  readonly port?: number;
  /** The models that it lists. @default ["fake:latest"] */
  readonly models?: readonly string[];
  /** Keep the requests; without it only their number is known, which is what a bench wants. @default true */
  readonly record?: boolean;
}

/** A request for an answer, as it came. */
export interface FakeRequest {
  readonly protocol: "ollama" | "openai";
  readonly model: string;
  readonly idempotencyKey: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  /** `open` while it is answered; `answered` when all went out; `left` when the client closed the connection first. */
  readonly state: "open" | "answered" | "left";
}

/** A fake model server, in this process or in another. */
export interface FakeProvider {
  /** Root of Ollama's protocol, such as `http://127.0.0.1:4711`. */
  readonly ollamaUrl: string;
  /** Base of OpenAI's protocol: the same with `/v1`. */
  readonly openAiUrl: string;
  /** Replaces the script, and begins its counters anew. Rejects when it has faults. */
  readonly script: (script: Json) => Promise<void>;
  readonly hold: (gate: string) => Promise<void>;
  /** Waits until so many answers (one by default) stand at the gate; rejects after 10 s. */
  readonly reached: (gate: string, count?: number) => Promise<void>;
  readonly step: (gate: string) => Promise<void>;
  readonly release: (gate: string) => Promise<void>;
  readonly requests: () => Promise<readonly FakeRequest[]>;
  readonly count: () => Promise<number>;
  /** Idempotency keys that came more than once. */
  readonly repeated: () => Promise<readonly string[]>;
  /** Waits until so many requests have come; rejects after 10 s. */
  readonly asked: (count: number) => Promise<void>;
  /** Waits until so many clients have left before their answer was out; rejects after 10 s. */
  readonly left: (count: number) => Promise<void>;
  /** Forgets requests and script, opens all gates. */
  readonly reset: () => Promise<void>;
  /** Closes the port and all connections: the next one is refused. */
  readonly down: () => Promise<void>;
  readonly up: () => Promise<void>;
  readonly stop: () => Promise<void>;
}
