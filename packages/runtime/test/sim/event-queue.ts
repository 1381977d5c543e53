/** Something that happens at a time. Events of one time happen in the order in which they were added. */
export interface Timed {
  readonly at: number;
  order: number;
}

/** A binary heap by time. */
export interface EventQueue<Event extends Timed> {
  push(event: Event): void;
  pop(): Event | undefined;
  /** The time of the next event; Infinity when there is none. */
  nextAt(): number;
  size(): number;
}

/** An empty queue. */
export function createEventQueue<Event extends Timed>(): EventQueue<Event> {
  const heap: Event[] = [];
  let added = 0;

  const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

  return {
    push: (event) => {
      event.order = added;
      added += 1;
      let at = heap.length;
      heap.push(event);
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!isBefore(event, heap[parent]!)) break;
        heap[at] = heap[parent]!;
        at = parent;
      }
      heap[at] = event;
    },
    pop: () => {
      const first = heap[0];
      const last = heap.pop();
      if (first === undefined || last === undefined || heap.length === 0) return first;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
        if (!isBefore(heap[child]!, last)) break;
        heap[at] = heap[child]!;
        at = child;
      }
      heap[at] = last;
      return first;
    },
    nextAt: () => heap[0]?.at ?? Number.POSITIVE_INFINITY,
    size: () => heap.length,
  };
}
