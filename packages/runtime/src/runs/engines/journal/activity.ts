/** Knows whether anything of a run is under way, or everything waits. */
export interface Activity {
  enter(): void;
  leave(): void;
}

/**
 * Calls `onIdle` when nothing has been under way for the rest of a turn of the event loop. A loop does nothing but
 * call its context, so by then each of its branches stands in a wait.
 */
export function createActivity(onIdle: () => void): Activity {
  let count = 0;
  let checking = false;
  const check = (): void => {
    checking = false;
    if (count === 0) onIdle();
  };
  return {
    enter: () => {
      count += 1;
    },
    leave: () => {
      count -= 1;
      if (count > 0 || checking) return;
      checking = true;
      setImmediate(check);
    },
  };
}
