/** Named places where answers can be held. */
export interface Gates {
  /** True when no gate is held, so that nobody needs to ask for each. */
  open(): boolean;
  /** Resolves when the gate lets this answer pass. */
  pass(gate: string): Promise<void>;
  hold(gate: string): void;
  waiting(gate: string): number;
  step(gate: string): void;
  release(gate: string): void;
  releaseAll(): void;
}

/** Gates, all open. @param changed called when an answer arrives at a gate */
export function createGates(changed: () => void): Gates {
  const held = new Map<string, (() => void)[]>();
  const release = (gate: string): void => {
    const waiting = held.get(gate) ?? [];
    held.delete(gate);
    for (const go of waiting) go();
  };
  return {
    open: () => held.size === 0,
    pass(gate) {
      const waiting = held.get(gate);
      if (waiting === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
        changed();
      });
    },
    hold(gate) {
      if (!held.has(gate)) held.set(gate, []);
    },
    waiting: (gate) => held.get(gate)?.length ?? 0,
    step(gate) {
      held.get(gate)?.shift()?.();
    },
    release,
    releaseAll() {
      for (const gate of held.keys()) release(gate);
    },
  };
}
