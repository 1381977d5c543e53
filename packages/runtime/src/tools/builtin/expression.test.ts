import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { evaluate } from "./expression.ts";

/** An expression with the value that it must have. */
interface Sample {
  readonly text: string;
  readonly value: number;
}

const { sample } = fc.letrec<{ sample: Sample }>((tie) => {
  const pair = fc.tuple(tie("sample"), tie("sample"));
  const binary = (sign: string, apply: (a: number, b: number) => number): fc.Arbitrary<Sample> =>
    pair.map(([a, b]) => ({ text: `(${a.text} ${sign}${b.text})`, value: apply(a.value, b.value) }));
  return {
    sample: fc.oneof(
      { maxDepth: 5 },
      fc.nat({ max: 1_000 }).map((n) => ({ text: String(n), value: n })),
      fc.double({ min: 0, max: 1e6, noNaN: true }).map((x) => ({ text: String(x), value: x })),
      binary("+", (a, b) => a + b),
      binary("-", (a, b) => a - b),
      binary("*", (a, b) => a * b),
      tie("sample").map((a) => ({ text: `-${a.text}`, value: -a.value })),
      tie("sample").map((a) => ({ text: `abs( ${a.text})`, value: Math.abs(a.value) })),
      pair.map(([a, b]) => ({ text: `max(${a.text},${b.text})`, value: Math.max(a.value, b.value) })),
    ),
  };
});

describe("evaluate", () => {
  it("gives every expression its value", () => {
    fc.assert(
      fc.property(sample, ({ text, value }) => {
        fc.pre(text.length <= 2_000 && Number.isFinite(value));
        expect(evaluate(text)).toBe(value);
      }),
    );
  });

  it("reads sums and products as arithmetic does", () => {
    const term = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 6 }), (terms) => {
        const expected = terms.map((factors) => factors.reduce((a, b) => a * b)).reduce((a, b) => a - b);
        expect(evaluate(terms.map((factors) => factors.join("*")).join(" - "))).toBe(expected);
      }),
    );
  });

  it.each([
    ["2 + 3 * 4", 14],
    ["-2^2", -4],
    ["2^-1", 0.5],
    ["2^3^2", 512],
    ["2**10", 1024],
    ["--3", 3],
    ["7 % 4 * 2", 6],
    ["-7 % 4", -3],
    [".5 + 1.e1", 10.5],
    ["1.5E+2", 150],
    ["SQRT(16) + Pi - pi", 4],
    ["log(1000) + log(8, 2) + ln(e)", 7],
    ["round(1.005, 2)", 1.01],
    ["round(-2.5)", -3],
    ["6 × 7 ÷ 2 − 1", 20],
    ["mean(1, 2, 3, 4)", 2.5],
  ])("%s = %d", (text, value) => {
    expect(evaluate(text)).toBeCloseTo(value, 12);
  });

  it.each([
    ["", "a value was expected"],
    ["2 +", '"the end" at character 4'],
    ["2 3", '"3" at character 3: an operator was expected'],
    ["(1", '")" was expected'],
    ["2 $ 3", '"$" at character 3'],
    ["1,2", "an operator was expected"],
    ["foo", "constants are pi, e, tau"],
    ["foo(1)", "functions are abs"],
    ["sqrt(1, 2)", "it takes 1 to 1 values, not 2"],
    ["constructor", "constants are"],
    ["constructor(1)", "functions are"],
    ["process.exit(1)", "at character"],
    ["x => x", "at character"],
  ])("%s is refused: %s", (text, message) => {
    expect(() => evaluate(text)).toThrow(message);
  });

  it("refuses what is too deep or too long", () => {
    for (const deep of [`${"(".repeat(500)}1${")".repeat(500)}`, `${"1^".repeat(300)}1`, `${"abs(".repeat(300)}1`]) {
      expect(() => evaluate(deep)).toThrow("nested too deeply");
    }
    expect(() => evaluate("1+".repeat(2_000))).toThrow("over 2000 characters");
    expect(evaluate(`${"-".repeat(1_900)}1`)).toBe(1);
  });

  it.each(["1/0", "5 % 0", "sqrt(-1)", "10^400", "ln(0)"])("%s has no value", (text) => {
    expect(() => evaluate(text)).toThrow(expect.objectContaining({ code: "tool_failed" }));
  });

  it("never throws anything else, whatever the text", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[-+*/%^()., 0-9a-z$"']{0,40}$/), (text) => {
        try {
          expect(Number.isFinite(evaluate(text))).toBe(true);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: expect.stringMatching(/^tool_(failed|invalid_arguments)$/) });
        }
      }),
    );
  });
});
