import { AstromeshError } from "../../core/index.ts";
import type { Clock, JsonObject } from "../../core/index.ts";
import { objectSchema } from "../tool-kind.ts";
import type { ToolKind } from "../tool-kind.ts";

/** Tells the date and time in a time zone. */
export function datetimeNow(clock: Clock): ToolKind {
  return {
    name: "datetime_now",
    description: "The current date and time in a time zone.",
    parameters: objectSchema({
      timezone: { type: "string", description: "An IANA name such as Europe/Berlin. Default: UTC" },
    }),
    config: objectSchema({
      timezone: { type: "string", description: "The time zone when the call names none. Default: UTC" },
    }),
    timeoutMs: 5_000,
    effectOf: () => "read",
    execute: async (args, config) => {
      const zone = (args["timezone"] ?? config["timezone"] ?? "UTC") as string;
      if (!isTimeZone(zone)) {
        throw new AstromeshError("tool_invalid_arguments", `"${zone}" is no time zone; use a name such as Asia/Tokyo`);
      }
      return describe(clock.now(), zone);
    },
  };
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function describe(nowMs: number, timeZone: string): JsonObject {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    calendar: "iso8601",
    weekday: "long",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "longOffset",
  });
  const part = Object.fromEntries(format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  const date = `${part["year"]}-${part["month"]}-${part["day"]}`;
  const time = `${part["hour"]}:${part["minute"]}:${part["second"]}`;
  const offset = (part["timeZoneName"] ?? "").replace("GMT", "") || "+00:00";
  return {
    iso: `${date}T${time}${offset}`,
    date,
    time,
    weekday: part["weekday"] ?? "",
    timezone: timeZone,
    utc_offset: offset,
    unix: Math.floor(nowMs / 1_000),
  };
}
