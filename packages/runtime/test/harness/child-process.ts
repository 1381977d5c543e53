import { spawn } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { once } from "node:events";

/** A child process whose output is kept. */
export interface TestChild {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Everything written to stdout and stderr so far. */
  output(): string;
  /** Resolves when stdout and stderr together hold the text. */
  says(text: string, timeoutMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals>;
}

/** Spawns a child; it is killed when the test process ends. */
export function spawnChild(command: string, args: readonly string[], options: SpawnOptions = {}): TestChild {
  const child = spawn(command, [...args], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} did not start`);
  let text = "";
  const listeners = new Set<() => void>();
  const take = (chunk: Buffer): void => {
    text += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  // `close` comes after the last of the output, `exit` does not.
  const exited = once(child, "close").then(([code, signal]) => {
    process.off("exit", kill);
    for (const listener of listeners) listener();
    return (code ?? signal) as number | NodeJS.Signals;
  });

  return {
    pid,
    process: child,
    output: () => text,
    says: (wanted, timeoutMs = 10_000) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): void => {
          clearTimeout(timer);
          listeners.delete(look);
          if (error === undefined) resolve();
          else reject(error);
        };
        const look = (): void => {
          if (text.includes(wanted)) end();
          else if (child.exitCode !== null || child.signalCode !== null) {
            end(new Error(`the process ended before it said "${wanted}":\n${text}`));
          }
        };
        const timer = setTimeout(
          () => end(new Error(`the process did not say "${wanted}" within ${timeoutMs} ms:\n${text}`)),
          timeoutMs,
        );
        listeners.add(look);
        look();
      }),
    kill: (signal) => void child.kill(signal),
    exited,
  };
}
