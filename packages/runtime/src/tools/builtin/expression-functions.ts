/** The names that stand for a number. */
export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ["pi", Math.PI],
  ["e", Math.E],
  ["tau", 2 * Math.PI],
]);

/** A function of numbers, and how many it takes. */
export interface MathFunction {
  readonly least: number;
  readonly most: number;
  readonly apply: (...args: number[]) => number;
}

const one = (apply: (x: number) => number): MathFunction => ({ least: 1, most: 1, apply });
const two = (apply: (x: number, y: number) => number): MathFunction => ({ least: 2, most: 2, apply });
const many = (apply: (...args: number[]) => number): MathFunction => ({ least: 1, most: 1_000, apply });

/** The functions that an expression may call. */
export const FUNCTIONS: ReadonlyMap<string, MathFunction> = new Map([
  ["abs", one(Math.abs)],
  ["sign", one(Math.sign)],
  ["floor", one(Math.floor)],
  ["ceil", one(Math.ceil)],
  ["trunc", one(Math.trunc)],
  ["round", { least: 1, most: 2, apply: (x, digits = 0) => roundTo(x, digits) }],
  ["sqrt", one(Math.sqrt)],
  ["cbrt", one(Math.cbrt)],
  ["exp", one(Math.exp)],
  ["ln", one(Math.log)],
  ["log", { least: 1, most: 2, apply: (x, base = 10) => (base === 10 ? Math.log10(x) : Math.log(x) / Math.log(base)) }],
  ["log2", one(Math.log2)],
  ["log10", one(Math.log10)],
  ["sin", one(Math.sin)],
  ["cos", one(Math.cos)],
  ["tan", one(Math.tan)],
  ["asin", one(Math.asin)],
  ["acos", one(Math.acos)],
  ["atan", one(Math.atan)],
  ["atan2", two(Math.atan2)],
  ["sinh", one(Math.sinh)],
  ["cosh", one(Math.cosh)],
  ["tanh", one(Math.tanh)],
  ["radians", one((degrees) => (degrees * Math.PI) / 180)],
  ["degrees", one((radians) => (radians * 180) / Math.PI)],
  ["pow", two((x, y) => x ** y)],
  ["mod", two((x, y) => x % y)],
  ["min", many(Math.min)],
  ["max", many(Math.max)],
  ["hypot", many(Math.hypot)],
  ["sum", many((...args) => args.reduce((sum, x) => sum + x, 0))],
  ["mean", many((...args) => args.reduce((sum, x) => sum + x, 0) / args.length)],
]);

/** Rounds half away from zero, in decimal: 1.005 to two digits is 1.01 as people expect. */
function roundTo(x: number, digits: number): number {
  const shifted = Number(`${Math.abs(x)}e${Math.trunc(digits)}`);
  return Math.sign(x) * Number(`${Math.round(shifted)}e${-Math.trunc(digits)}`);
}
