import { afterAll, describe, expect, it } from "vitest";

import { systemClock } from "../../test/fakes/index.ts";
import type { JsonObject } from "../core/index.ts";
import { createTemplates } from "./index.ts";

const templates = createTemplates({ clock: systemClock }, { timeoutMs: 1_000 });
afterAll(() => templates.stop());

async function render(source: string, variables: JsonObject = {}, more: Record<string, string> = {}): Promise<string> {
  return templates.render({ templates: { ...more, system: source }, entry: "system", variables });
}

const bombs = [
  ["endless steps", "{% for i in range(90000) %}{% for j in range(90000) %}{{ i }}{% endfor %}{% endfor %}"],
  ["a huge string", "{{ 'x' * 4000000000 }}"],
  ["a doubling string", "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}"],
  ["a huge list", "{{ [1] * 100000000 }}"],
  ["a huge slice", "{{ [1] | slice(4000000000) | list | length }}"],
  ["a long text", "{{ 'x' * 2000000 }}"],
  ["endless recursion", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"],
  ["a template that includes itself", "{% include 'system' %}"],
  ["deep nesting", `{{ ${"(".repeat(5_000)}1${")".repeat(5_000)} }}`],
  [
    "slow steps",
    "{% set s = 'a' * 9000000 %}{% for i in range(90000) %}{% if s | upper == i %}{% endif %}{% endfor %}",
  ],
] as const;

describe("rendering", () => {
  it("knows variables, loops, includes and Python's methods", async () => {
    const source =
      "{% include 'greeting' %}{% for key, value in o.items() %} {{ key.upper() }}={{ value }}{% endfor %}";
    expect(await render(source, { name: "Ada", o: { a: 1, b: null } }, { greeting: "Hi {{ name }}," })).toBe(
      "Hi Ada, A=1 B=none",
    );
  });

  it("changes neither text without markup nor the last line's end, and escapes nothing", async () => {
    expect(await render("plain { text }\n")).toBe("plain { text }\n");
    expect(await render("{{ x }}\n", { x: "<b>&" })).toBe("<b>&\n");
  });

  it("keeps requests that come together apart", async () => {
    const texts = await Promise.all(Array.from({ length: 20 }, async (_, n) => render("n={{ n }}", { n })));
    expect(texts).toEqual(Array.from({ length: 20 }, (_, n) => `n=${n}`));
  });
});

describe("faults", () => {
  it("names the template, the line and the text of an undefined name", async () => {
    await expect(render("one\n{{ agent.nope.x }}", { agent: {} })).rejects.toMatchObject({
      code: "prompt_invalid",
      message: 'template "system", line 2: undefined value in: {{ agent.nope.x }}',
      details: { template: "system", line: 2 },
    });
  });

  it("names the included template where the fault is", async () => {
    await expect(render("{% include 'inner' %}", {}, { inner: "a\nb\n{{ nope }}" })).rejects.toMatchObject({
      details: { template: "inner", line: 3 },
    });
    await expect(render("{% include 'absent' %}")).rejects.toThrow('non-existing template "absent"');
  });

  it("finds every template with broken syntax before anything runs", async () => {
    const faults = await templates.check({ good: "{{ x }}", bad: "a\n{% if %}", worse: "{{ 1 + }}" });
    expect(faults.map((fault) => [fault.template, fault.line])).toEqual([
      ["bad", 2],
      ["worse", 1],
    ]);
    expect(await templates.check({ good: "{{ x }}" })).toEqual([]);
  });
});

describe("the sandbox", () => {
  const escapes = [
    "{{ agent.constructor.constructor('return process')() }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ agent.__proto__.polluted }}",
    "{{ process.env }}",
    "{{ globalThis }}",
    "{{ require('fs') }}",
    "{% import '/etc/passwd' as x %}",
    "{% include '../../etc/passwd' %}",
  ];
  it.each(escapes)("%s reaches nothing", async (source) => {
    await expect(render(source, { agent: { name: "a" } })).rejects.toMatchObject({ code: "prompt_invalid" });
  });

  it.each(bombs)("survives %s, and the next template renders", async (_name, source) => {
    await expect(render(source)).rejects.toMatchObject({ code: "prompt_invalid" });
    expect(await render("{{ 1 + 1 }}")).toBe("2");
  });

  it("never stands in the way of the main loop", async () => {
    const slow = render(bombs[9][1]);
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 5);
    await expect(slow).rejects.toThrow("took longer than 1000 ms");
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(20);
  });
});

it("stops, and starts again when it is needed", async () => {
  const own = createTemplates({ clock: systemClock });
  await own.start();
  expect(own.status()).toEqual({ running: true, waiting: 0 });
  await own.stop();
  await own.stop();
  expect(own.status()).toEqual({ running: false, waiting: 0 });
  expect(await own.render({ templates: { t: "{{ 2 * 3 }}" }, entry: "t", variables: {} })).toBe("6");
  const cut = own.render({ templates: { t: bombs[9][1] }, entry: "t", variables: {} });
  await expect.poll(() => own.status().waiting).toBe(1);
  await own.stop();
  await expect(cut).rejects.toMatchObject({ code: "draining" });
});
