import { AstromeshError } from "../../core/index.ts";
import { CONSTANTS, FUNCTIONS } from "./expression-functions.ts";
import { tokens, unreadable } from "./expression-tokens.ts";
import type { Token } from "./expression-tokens.ts";

/** Longer texts are refused: nobody calculates a page. */
export const MAX_EXPRESSION_CHARS = 2_000;
const MAX_DEPTH = 100;

/**
 * The value of an arithmetic expression, in double precision. Recursive descent over
 *
 *     sum     = product (("+" | "-") product)*
 *     product = signed (("*" | "/" | "%") signed)*
 *     signed  = ("+" | "-") signed | power
 *     power   = atom (("^" | "**") signed)?        so -2^2 = -4 and 2^3^2 = 512
 *     atom    = number | constant | function "(" sum ("," sum)* ")" | "(" sum ")"
 *
 * `%` is the remainder with the sign of the dividend. Throws `tool_invalid_arguments` naming the place of what cannot
 * be read, and `tool_failed` when the value is no finite real number.
 */
export function evaluate(expression: string): number {
  if (expression.length > MAX_EXPRESSION_CHARS) {
    throw new AstromeshError("tool_invalid_arguments", `the expression is over ${MAX_EXPRESSION_CHARS} characters`);
  }
  const value = parse(tokens(expression.replaceAll("×", "*").replaceAll("÷", "/").replaceAll("−", "-")));
  if (!Number.isFinite(value)) throw new AstromeshError("tool_failed", "the result is not a finite real number");
  return value;
}

function parse(list: readonly Token[]): number {
  const end: Token = list.at(-1) ?? { kind: "end", text: "the end", at: 1 };
  let place = 0;
  let depth = 0;
  const peek = (): Token => list[place] ?? end;
  /** Takes the next token when it is one of these signs. */
  const taken = (...signs: readonly string[]): string | null => {
    const { kind, text } = peek();
    if (kind !== "sign" || !signs.includes(text)) return null;
    place += 1;
    return text;
  };
  const mustTake = (sign: string): void => {
    if (taken(sign) === null) throw unreadable(peek(), `"${sign}" was expected`);
  };

  const sum = (): number => {
    let value = product();
    for (let sign = taken("+", "-"); sign !== null; sign = taken("+", "-")) {
      value = sign === "+" ? value + product() : value - product();
    }
    return value;
  };
  const product = (): number => {
    let value = signed();
    for (let sign = taken("*", "/", "%"); sign !== null; sign = taken("*", "/", "%")) {
      value = multiplied(value, sign, signed());
    }
    return value;
  };
  const signed = (): number => {
    depth += 1;
    if (depth > MAX_DEPTH) throw unreadable(peek(), "the expression is nested too deeply");
    let negative = false;
    for (let sign = taken("+", "-"); sign !== null; sign = taken("+", "-")) negative = negative !== (sign === "-");
    const base = atom();
    const value = taken("^", "**") === null ? base : base ** signed();
    depth -= 1;
    return negative ? -value : value;
  };
  const atom = (): number => {
    const token = peek();
    place += 1;
    if (token.kind === "number") return Number(token.text);
    if (token.kind === "name") return named(token);
    if (token.kind === "end" || token.text !== "(") throw unreadable(token, "a value was expected");
    const value = sum();
    mustTake(")");
    return value;
  };
  const named = (token: Token): number => {
    if (taken("(") === null) return constant(token);
    const args = [sum()];
    while (taken(",") !== null) args.push(sum());
    mustTake(")");
    return applied(token, args);
  };

  const value = sum();
  if (peek().kind !== "end") throw unreadable(peek(), "an operator was expected");
  return value;
}

function multiplied(a: number, sign: string, b: number): number {
  if (sign === "*") return a * b;
  if (b === 0) throw new AstromeshError("tool_failed", "division by zero");
  return sign === "/" ? a / b : a % b;
}

function constant(token: Token): number {
  const value = CONSTANTS.get(token.text.toLowerCase());
  if (value === undefined) throw unreadable(token, `constants are ${[...CONSTANTS.keys()].join(", ")}`);
  return value;
}

function applied(token: Token, args: readonly number[]): number {
  const called = FUNCTIONS.get(token.text.toLowerCase());
  if (called === undefined) throw unreadable(token, `functions are ${[...FUNCTIONS.keys()].join(", ")}`);
  if (args.length < called.least || args.length > called.most) {
    throw unreadable(token, `it takes ${called.least} to ${called.most} values, not ${args.length}`);
  }
  return called.apply(...args);
}
