import { describe, expect, it } from "vitest";

import { withMemoryLimit } from "./wasm-memory.ts";

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

describe("withMemoryLimit", () => {
  it("writes the limit into the memory section and leaves the rest as it was", () => {
    const before = [1, 4, 1, 0x60, 0, 0];
    const after = [7, 1, 0];
    const limited = withMemoryLimit(Uint8Array.from([...header, ...before, 5, 3, 1, 0, 18, ...after]), 1024 * 65_536);
    expect([...limited]).toEqual([...header, ...before, 5, 5, 1, 1, 18, 0x80, 0x08, ...after]);
  });

  it("refuses a module without a memory, or cut short", () => {
    expect(() => withMemoryLimit(Uint8Array.from(header), 65_536)).toThrow("exactly one memory");
    expect(() => withMemoryLimit(Uint8Array.from([...header, 5, 0x80]), 65_536)).toThrow("cut short");
  });
});
