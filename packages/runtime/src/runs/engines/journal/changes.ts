import type { RunChange } from "../../../core/ports/index.ts";

/** True when a change writes nothing. */
export function isEmptyChange(change: RunChange): boolean {
  return isStreamOnly(change) && (change.stream?.length ?? 0) === 0;
}

/** True when a change writes nothing but events. */
export function isStreamOnly(change: RunChange): boolean {
  return (
    change.patch === undefined &&
    change.completeEffectKey === undefined &&
    (change.records?.length ?? 0) === 0 &&
    (change.messages?.length ?? 0) === 0 &&
    (change.turns?.length ?? 0) === 0 &&
    (change.consumeSignals?.length ?? 0) === 0
  );
}

/**
 * Several changes as one transaction: lists are joined in order, the last patch of a column wins.
 * At most one of them may complete an effect key.
 */
export function mergeChanges(changes: readonly RunChange[]): RunChange {
  const patches = changes.flatMap((change) => (change.patch === undefined ? [] : [change.patch]));
  const signalled = changes.find((change) => change.unlessSignalled !== undefined)?.unlessSignalled;
  const key = changes.find((change) => change.completeEffectKey !== undefined)?.completeEffectKey;
  const stream = changes.flatMap((change) => change.stream ?? []).toSorted((a, b) => a.offset - b.offset);
  return {
    records: changes.flatMap((change) => change.records ?? []),
    messages: changes.flatMap((change) => change.messages ?? []),
    turns: changes.flatMap((change) => change.turns ?? []),
    consumeSignals: changes.flatMap((change) => change.consumeSignals ?? []),
    stream,
    ...(patches.length === 0 ? {} : { patch: Object.assign({}, ...patches) as NonNullable<RunChange["patch"]> }),
    ...(signalled === undefined ? {} : { unlessSignalled: signalled }),
    ...(key === undefined ? {} : { completeEffectKey: key }),
  };
}
