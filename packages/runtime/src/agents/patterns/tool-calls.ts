import type { ToolCall } from "../../core/index.ts";

/**
 * The calls of one answer with ids that tell them apart. Providers pair a result with its call by id, yet some models
 * send none and some send one id twice; a call without a free id gets `call_<place>_<n>`, where `place` is the
 * answer's index in the thread. The same calls always get the same ids, and unique ids are kept as they are, so the
 * function may be applied twice: by whoever writes the answer down, and by the loop that reads it.
 */
export function withUniqueIds(calls: readonly ToolCall[], place: number): readonly ToolCall[] {
  const used = new Set<string>();
  const taken = new Set(calls.map((call) => call.id));
  return calls.map((call, position) => {
    let id = call.id;
    if (id === "" || used.has(id)) {
      let n = position;
      do {
        id = `call_${place}_${n}`;
        n += calls.length;
      } while (taken.has(id));
    }
    used.add(id);
    return id === call.id ? call : { ...call, id };
  });
}
