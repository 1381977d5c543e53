import { objectSchema } from "../tool-kind.ts";
import type { ToolKind } from "../tool-kind.ts";
import { FUNCTIONS } from "./expression-functions.ts";
import { evaluate, MAX_EXPRESSION_CHARS } from "./expression.ts";

/** Doubles print 17 digits; the last two are mostly noise of the binary form, such as 0.1 + 0.2. */
const DIGITS = 15;

/** Evaluates an arithmetic expression. */
export const calculator: ToolKind = {
  name: "calculator",
  description:
    "Evaluates an arithmetic expression: + - * / % ^, parentheses, the constants pi, e and tau, and the functions " +
    `${[...FUNCTIONS.keys()].join(", ")}. Angles are in radians. The result has ${DIGITS} significant digits.`,
  parameters: objectSchema(
    {
      expression: {
        type: "string",
        minLength: 1,
        maxLength: MAX_EXPRESSION_CHARS,
        description: "Such as (3 + 4) * sqrt(2)",
      },
    },
    ["expression"],
  ),
  config: objectSchema({}),
  timeoutMs: 5_000,
  effectOf: () => "read",
  execute: async (args) => ({ result: Number(evaluate(args["expression"] as string).toPrecision(DIGITS)) }),
};
