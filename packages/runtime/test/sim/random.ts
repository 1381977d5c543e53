import type { Random } from "../../src/core/index.ts";

/**
 * A random source from a 64-bit seed: sfc32 (Chris Doty-Humphrey, PractRand, public domain), seeded with both halves of
 * the seed and stirred twelve times, as its author advises.
 */
export function createRandom(seed: bigint): Random {
  let a = Number(seed & 0xffff_ffffn) | 0;
  let b = Number((seed >> 32n) & 0xffff_ffffn) | 0;
  let c = 0x9e37_79b9 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 12; round += 1) next();
  return next;
}

/** A seed for a part of a run, so that a change in one part leaves the numbers of another as they were. */
export function deriveSeed(seed: bigint, part: number): bigint {
  return BigInt.asUintN(64, (seed ^ BigInt(part + 1)) * 0x9e37_79b9_7f4a_7c15n);
}
