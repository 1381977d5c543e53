import type { Json } from "../../src/core/index.ts";

/** The tools of the campaign's agent, by what repeating a call of them does. */
export const TOOLS = {
  send_mail: "once",
  http_request: "once",
  pay: "once",
  set_stock: "idempotent",
  look_up: "read",
} as const;

/** The name of one of them. */
export type ToolName = keyof typeof TOOLS;

/** One turn of the scripted model: what it says, and the tools that it asks for side by side. */
interface Turn {
  readonly says: string;
  readonly calls: readonly ToolName[];
}

/** What a client may ask for, and what comes of it. */
export interface Scenario {
  readonly name: string;
  readonly agent: "clerk" | "friend";
  readonly weight: number;
  readonly tokenDelayMs: number;
  readonly turns: readonly Turn[];
}

const LAST = { says: "All that you asked for is done, and the books are closed for today.", calls: [] } as const;

/** What clients ask for. `friend` remembers its sessions and has no tools, so that no session waits for a person. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "story",
    agent: "clerk",
    weight: 2,
    tokenDelayMs: 8,
    turns: [{ says: Array.from({ length: 50 }, (_, index) => `word${index}`).join(" "), calls: [] }],
  },
  {
    name: "mail",
    agent: "clerk",
    weight: 3,
    tokenDelayMs: 2,
    turns: [{ says: "Sending.", calls: ["send_mail"] }, LAST],
  },
  {
    name: "chores",
    agent: "clerk",
    weight: 3,
    tokenDelayMs: 2,
    turns: [
      { says: "First I look it up.", calls: ["look_up"] },
      { says: "Now all at once.", calls: ["send_mail", "set_stock", "look_up", "http_request"] },
      { says: "And once more.", calls: ["set_stock", "set_stock"] },
      LAST,
    ],
  },
  {
    name: "order",
    agent: "clerk",
    weight: 2,
    tokenDelayMs: 0,
    turns: [{ says: "", calls: ["http_request"] }, { says: "Ordered; the mail follows.", calls: ["send_mail"] }, LAST],
  },
  {
    name: "payment",
    agent: "clerk",
    weight: 3,
    tokenDelayMs: 2,
    turns: [{ says: "This wants your leave.", calls: ["pay"] }, LAST],
  },
  {
    name: "purchase",
    agent: "clerk",
    weight: 2,
    tokenDelayMs: 2,
    turns: [{ says: "All of it, if you agree.", calls: ["set_stock", "pay", "send_mail"] }, LAST],
  },
  {
    name: "inventory",
    agent: "clerk",
    weight: 2,
    tokenDelayMs: 1,
    turns: [
      { says: "Counting", calls: ["set_stock"] },
      { says: "the", calls: ["look_up", "set_stock"] },
      { says: "shelves", calls: ["set_stock"] },
      LAST,
    ],
  },
  {
    name: "chat",
    agent: "friend",
    weight: 3,
    tokenDelayMs: 4,
    turns: [{ says: "I am well, and how are you today?", calls: [] }],
  },
];

/** How often the run of a scenario calls tools of class `once`. */
export function onceCalls({ turns }: Scenario): number {
  return turns.flatMap(({ calls }) => calls).filter((name) => TOOLS[name] === "once").length;
}

/** The question of a run: the script knows the scenario by it. */
export function queryOf({ name }: Scenario, tag: string): string {
  return `[${name}] ${tag}`;
}

/** All that the model says in a run of the scenario. */
export function textOf({ turns }: Scenario): string {
  return turns.map(({ says }) => says).join("");
}

/** The script of the fake provider. */
export function scriptOf(toolsUrl: string): Json {
  const rules = SCENARIOS.flatMap(({ name, turns, tokenDelayMs }) =>
    turns.map(({ says, calls }, index) => ({
      match: { user: `[${name}]`, tool_results: turns.slice(0, index).flatMap((turn) => turn.calls).length },
      reply: says,
      tool_calls: calls.map((tool) => ({ name: tool, arguments: argumentsOf(tool, toolsUrl) })),
      token_delay_ms: tokenDelayMs,
      usage: { input_tokens: 10, output_tokens: 5 },
    })),
  );
  return { rules };
}

function argumentsOf(tool: ToolName, toolsUrl: string) {
  if (tool !== "http_request") return { about: "the usual" };
  return { method: "POST", url: `${toolsUrl}/http_request`, body: { about: "the usual" } };
}

/** The configuration of the campaign's node. */
export function nodeFiles(providerUrl: string, toolsUrl: string): Readonly<Record<string, string>> {
  const config = (name: ToolName) => ({ url: `${toolsUrl}/${name}`, allow_private: true });
  const tools = [
    { name: "send_mail", type: "webhook", config: config("send_mail") },
    { name: "http_request", type: "builtin", config: { allow_private: true } },
    { name: "pay", type: "webhook", config: config("pay"), approval: "ask" },
    { name: "set_stock", type: "webhook", config: { ...config("set_stock"), idempotent: true } },
    { name: "look_up", type: "webhook", config: config("look_up"), effect: "read" },
  ];
  const agent = (name: Scenario["agent"], spec: object): string =>
    // JSON is YAML.
    JSON.stringify({
      apiVersion: "astromesh/v1",
      kind: "Agent",
      metadata: { name },
      spec: {
        identity: { description: "lives through a chaos campaign" },
        model: { primary: { provider: "ollama", model: "fake:latest", endpoint: providerUrl } },
        prompts: { system: "Do as you are told." },
        ...spec,
      },
    });
  return {
    "runtime.yaml": JSON.stringify({
      apiVersion: "astromesh/v1",
      kind: "RuntimeConfig",
      metadata: { name: "chaos" },
      // Runs that are killed over and over must not be taken for poison: nowhere else does a node die every second.
      spec: { api: { host: "127.0.0.1" }, runs: { max_fruitless_attempts: 1_000, drain: "1s" } },
    }),
    "agents/clerk.agent.yaml": agent("clerk", { tools, orchestration: { max_iterations: 20 } }),
    "agents/friend.agent.yaml": agent("friend", {
      memory: { conversational: { strategy: "sliding_window", max_turns: 4 } },
    }),
  };
}
