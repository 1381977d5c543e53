import { EventEmitter } from "node:events";

import { expect, test } from "vitest";

import { watchSignals } from "./signals.ts";

test("the first end drains, the second forces, SIGHUP reloads, and afterwards nothing is heard", () => {
  const seen: string[] = [];
  const source = new EventEmitter();
  const stop = watchSignals(
    {
      drain: (signal) => seen.push(`drain ${signal}`),
      force: (signal) => seen.push(`force ${signal}`),
      reload: () => seen.push("reload"),
    },
    source,
  );
  source.emit("SIGHUP", "SIGHUP");
  source.emit("SIGINT", "SIGINT");
  source.emit("SIGTERM", "SIGTERM");
  source.emit("SIGHUP", "SIGHUP");
  stop();
  source.emit("SIGTERM", "SIGTERM");
  expect(seen).toEqual(["reload", "drain SIGINT", "force SIGTERM", "reload"]);
});
