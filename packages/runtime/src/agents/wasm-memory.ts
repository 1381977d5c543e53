const HEADER_BYTES = 8;
const MEMORY_SECTION = 5;
const PAGE_BYTES = 65_536;

/**
 * A WebAssembly module with an upper limit on its memory. Toolchains leave the limit out, so a module may grow to
 * 4 GiB; with one, an allocation beyond it fails inside the module. Rewrites the memory section
 * (https://webassembly.github.io/spec/core/binary/modules.html#memory-section); the module must have one memory.
 */
export function withMemoryLimit(module: Uint8Array, limitBytes: number): Uint8Array {
  let at = HEADER_BYTES;
  while (at < module.length) {
    const size = readUnsigned(module, at + 1);
    const end = size.next + size.value;
    if (module[at] === MEMORY_SECTION) {
      const count = readUnsigned(module, size.next);
      if (count.value !== 1) break;
      const initialPages = readUnsigned(module, count.next + 1).value;
      const flagHasMaximum = 1;
      const memory = [1, flagHasMaximum, ...unsigned(initialPages), ...unsigned(Math.floor(limitBytes / PAGE_BYTES))];
      const section = [MEMORY_SECTION, ...unsigned(memory.length), ...memory];
      return Buffer.concat([module.subarray(0, at), Uint8Array.from(section), module.subarray(end)]);
    }
    at = end;
  }
  throw new Error("the WebAssembly module does not define exactly one memory");
}

/** Reads an unsigned LEB128 number. */
function readUnsigned(bytes: Uint8Array, start: number): { value: number; next: number } {
  let value = 0;
  let shift = 1;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte % 128) * shift;
    if (byte < 128) return { value, next: at + 1 };
    shift *= 128;
  }
  throw new Error("the WebAssembly module is cut short");
}

/** Writes an unsigned LEB128 number. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
