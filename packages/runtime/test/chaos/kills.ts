import { DEADLY_CALLS } from "./death.ts";
import type { Death } from "./death.ts";
import { TOOLS } from "./scenarios.ts";
import type { ToolName } from "./scenarios.ts";
import type { Seeded } from "./seeded.ts";

/** When a process of the node is killed. */
export type Kill =
  /** So long after it serves. */
  | { readonly at: "any time"; readonly afterMs: number }
  /** So long after it was spawned: perhaps before it serves, or while it takes its runs up. */
  | { readonly at: "its start"; readonly afterMs: number }
  /** So long after it was told to end in good order. */
  | { readonly at: "its end"; readonly servesMs: number; readonly afterMs: number }
  /** While the model's answer stands at a gate. */
  | { readonly at: "the model"; readonly gate: string }
  /** While a tool holds a call; `late`: the tool counts the call after the node has died. */
  | { readonly at: "a tool"; readonly tool: ToolName; readonly where: "before" | "after"; readonly late: boolean }
  /** At a write of its own. */
  | { readonly at: "a write"; readonly death: Death };

/** What a kill waits for at most, before it comes all the same. Milliseconds. */
export const BOUNDARY_PATIENCE_MS = 5_000;

const PLACES = [
  { at: "any time", weight: 4 },
  { at: "its start", weight: 2 },
  { at: "its end", weight: 1 },
  { at: "the model", weight: 3 },
  { at: "a tool", weight: 4 },
  { at: "a write", weight: 6 },
] as const;

/** Before the first byte, before the first token, in mid-stream, before the tool calls, before the end mark. */
const GATES = ["request", "token:0", "token:1", "token:5", "token:12", "calls", "end"] as const;

/** Calls are counted from the process's start; a process makes hundreds of appends and few claims. */
const MOST_CALLS: Readonly<Record<Death["call"], number>> = {
  create: 8,
  claim: 4,
  append: 80,
  appendStream: 30,
  signal: 2,
};

/** The kills of a campaign, in order; one of each kind comes before any comes twice. */
export function planKills(count: number, seeded: Seeded): readonly Kill[] {
  return Array.from({ length: count }, (_, index) => {
    const { at } = PLACES[index] ?? seeded.weighted(PLACES);
    return planKill(at, seeded);
  });
}

function planKill(at: Kill["at"], seeded: Seeded): Kill {
  switch (at) {
    case "any time":
      return { at, afterMs: seeded.whole(0, 1_500) };
    case "its start":
      return { at, afterMs: seeded.whole(100, 1_200) };
    case "its end":
      return { at, servesMs: seeded.whole(100, 800), afterMs: seeded.whole(0, 500) };
    case "the model":
      return { at, gate: seeded.pick(GATES) };
    case "a tool": {
      const tool = seeded.pick(Object.keys(TOOLS) as ToolName[]);
      return { at, tool, where: seeded.pick(["before", "after"]), late: seeded.chance(0.5) };
    }
    case "a write":
    default: {
      const call = seeded.pick(DEADLY_CALLS);
      return {
        at: "a write",
        death: { call, nth: seeded.whole(1, MOST_CALLS[call]), when: seeded.pick(["before", "after"]) },
      };
    }
  }
}

/** A kill in a few words. */
export function describeKill(kill: Kill): string {
  switch (kill.at) {
    case "any time":
      return `${kill.afterMs} ms after it served`;
    case "its start":
      return `${kill.afterMs} ms after it was spawned`;
    case "its end":
      return `${kill.afterMs} ms after SIGTERM`;
    case "the model":
      return `with the model at ${kill.gate}`;
    case "a tool":
      return `with ${kill.tool} held ${kill.where} it counts${kill.where === "before" ? (kill.late ? ", counted late" : ", dropped") : ""}`;
    case "a write":
    default:
      return `${kill.death.when} ${kill.death.call} no. ${kill.death.nth}`;
  }
}
