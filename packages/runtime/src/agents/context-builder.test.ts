import { afterAll, describe, expect, it } from "vitest";

import { agentDefinition, fakeRun, manualClock, systemClock, toolEntry } from "../../test/fakes/index.ts";
import type { Message } from "../core/index.ts";
import type { ConversationKey, SessionMemory } from "../core/ports/index.ts";
import { createContextBuilder, createTemplates } from "./index.ts";

const NOW = Date.UTC(2026, 10, 20, 9, 30);
const templates = createTemplates({ clock: systemClock });
afterAll(() => templates.stop());
const clock = manualClock(NOW);

/** What the session remembers, and who asked for it. */
let remembered: readonly Message[] = [];
const asked: ConversationKey[] = [];
const memory: SessionMemory = {
  recall: async (_definition, key) => {
    asked.push(key);
    return remembered;
  },
  kept: () => null,
  history: async () => [],
  clear: async () => 0,
};
const builder = createContextBuilder({
  templates,
  memory,
  clock,
  toolsOf: (definition) => definition.tools.map(({ name }) => ({ name, description: `does ${name}` })),
});

function prompted(system: string, more: Record<string, string> = {}) {
  return agentDefinition({ prompts: { system, templates: more } });
}

describe("the opening of a thread", () => {
  it("renders the system prompt from the agent, the request and the time", async () => {
    const definition = {
      ...prompted(
        "I am {{ agent.name }} ({{ agent.description }}) in {{ session_id }} on {{ date }} at {{ now }}." +
          " {{ context.customer.name }}!{% include 'tools' %}",
        { tools: "{% for t in tools %} {{ t.name }}: {{ t.description }}{% endfor %}" },
      ),
      tools: [toolEntry("calculator")],
    };
    const run = fakeRun({ input: { query: "hi", images: [], context: { customer: { name: "Ada" } } } });
    expect(await builder.build({ definition, run, thread: "main" })).toEqual([
      {
        role: "system",
        text: "I am helper (Helps.) in ses_1 on 2026-11-20 at 2026-11-20T09:30:00.000Z. Ada! calculator: does calculator",
      },
      { role: "user", text: "hi" },
    ]);
  });

  it("puts what the session remembers between the prompt and the query, and passes images on", async () => {
    remembered = [
      { role: "user", text: "before" },
      { role: "assistant", text: "yes" },
    ];
    const run = fakeRun({
      input: {
        query: "and now?",
        images: [{ mediaType: "image/png", source: { url: "https://x.test/a.png" } }],
        context: {},
      },
    });
    expect(await builder.build({ definition: prompted("  \n"), run, thread: "main" })).toEqual([
      ...remembered,
      { role: "user", text: "and now?", images: run.input.images },
    ]);
    expect(asked.at(-1)).toEqual({ agent: "helper", principalId: "local", sessionId: "ses_1" });
    remembered = [];
  });

  it("treats what a client sends as data, never as a template", async () => {
    const run = fakeRun({ input: { query: "{{ 7 * 7 }}", images: [], context: { x: "{{ 7 * 7 }}" } } });
    expect(await builder.build({ definition: prompted("x={{ context.x }}"), run, thread: "main" })).toEqual([
      { role: "system", text: "x={{ 7 * 7 }}" },
      { role: "user", text: "{{ 7 * 7 }}" },
    ]);
  });

  it("names the template and line that do not render", async () => {
    await expect(
      builder.build({ definition: prompted("a\n{{ context.absent }}"), run: fakeRun(), thread: "main" }),
    ).rejects.toMatchObject({ code: "prompt_invalid", details: { template: "system", line: 2 } });
  });
});
