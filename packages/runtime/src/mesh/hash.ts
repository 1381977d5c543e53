/**
 * 64-bit hashes as two signed 32-bit halves, because that is what JavaScript computes with fast.
 * The text hash is cyrb53 (bryc, public domain, github.com/bryc/code) without its last cut to 53 bits; the mixing steps
 * are MurmurHash3's finalizer (Austin Appleby, public domain). Neither is a defence: what is hashed is signed.
 */

/** The two halves of a 64-bit hash. */
export type Hash = readonly [high: number, low: number];

/** The hash of a text. */
export function hashText(text: string): Hash {
  let high = 0xdeadbeef | 0;
  let low = 0x41c6ce57 | 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2_654_435_761);
    low = Math.imul(low ^ unit, 1_597_334_677);
  }
  return [finish(high, low), finish(low, high)];
}

/** Stirs one more number (an integer) into half of a hash. */
export function stir(half: number, value: number): number {
  const mixed = Math.imul(half ^ (value | 0) ^ Math.imul((value / 4_294_967_296) | 0, 0x9e3779b1), 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) ^ (mixed >>> 16);
}

/** The two halves as 16 hex digits. */
export function formatHash(hash: Hash): string {
  return hash.map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

function finish(own: number, other: number): number {
  const mixed = Math.imul(own ^ (own >>> 16), 2_246_822_507);
  return mixed ^ (mixed >>> 13) ^ Math.imul(other ^ (other >>> 13), 3_266_489_909);
}
