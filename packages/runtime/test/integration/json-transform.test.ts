import { afterAll, expect, it } from "vitest";

import { createTemplates } from "../../src/agents/index.ts";
import type { JsonObject } from "../../src/core/index.ts";
import { createEgress } from "../../src/net/index.ts";
import { createTools } from "../../src/tools/index.ts";
import { memoryCache, systemClock, toolScope } from "../fakes/index.ts";

const templates = createTemplates({ clock: systemClock });
afterAll(() => templates.stop());
const tools = createTools({
  clock: systemClock,
  egress: createEgress(),
  cache: memoryCache(),
  filesDir: "/nowhere",
  expand: (config) => config,
  render: async (template, data) =>
    templates.render({ templates: { template }, entry: "template", variables: { data } }),
});

async function transform(data: JsonObject, template: string) {
  return tools.call("json_transform", { data, template }, toolScope());
}

it("reshapes data with a template that a model wrote", async () => {
  const rows = {
    rows: [
      { id: 1, tags: ["a"] },
      { id: 2, tags: [] },
    ],
  };
  const template = "[{% for row in data.rows %}{{ row.tags | tojson }}{% if not loop.last %},{% endif %}{% endfor %}]";
  expect(await transform(rows, template)).toEqual({ ok: true, data: { result: [["a"], []] } });
});

it("answers a template that attacks the engine with a failure, and goes on", async () => {
  for (const template of ["{{ 'x' * 4000000000 }}", "{{ data.constructor.constructor('return process')() }}"]) {
    expect(await transform({}, template)).toMatchObject({ ok: false, code: "tool_failed" });
  }
  expect(await transform({ n: 1 }, "{{ data.n + 1 }}")).toEqual({ ok: true, data: { result: 2 } });
});
