import { z } from "zod";

import { parseDuration } from "../core/index.ts";

/** The apiVersion of every document of ours. */
export const API_VERSION = "astromesh/v1";

const DURATION = /^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)?\s*$/;
const DURATION_TEXT = "expected a duration such as 500ms, 30s, 5m, 1h, 7d, or a number of seconds";

/** A duration as people write it; a bare number counts seconds. Read it with `durationMs`. */
export const duration = z.union(
  [z.number().min(0), z.string().regex(DURATION, { error: DURATION_TEXT, abort: true })],
  { error: DURATION_TEXT },
);

/** A duration above zero. */
export const positiveDuration = duration.refine((value) => durationMs(value) > 0, { error: "must be above 0" });

/** The milliseconds of a validated duration. */
export function durationMs(value: string | number): number {
  return parseDuration(value) ?? 0;
}

const SIZE = /^\s*(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|kB|MB|GB)?\s*$/;
const SIZE_TEXT = "expected a size such as 64KiB, 1MiB, or a number of bytes";
const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

/** A size as people write it; a bare number counts bytes. Read it with `sizeBytes`. */
export const size = z.union([z.number().min(1), z.string().regex(SIZE, { error: SIZE_TEXT })], { error: SIZE_TEXT });

/** The bytes of a validated size. */
export function sizeBytes(value: string | number): number {
  if (typeof value === "number") return Math.floor(value);
  const match = SIZE.exec(value);
  return Math.floor(Number(match?.[1] ?? 0) * (UNIT_BYTES[match?.[2] ?? "B"] ?? 1));
}

/** A TCP port; 0 takes any free one. */
export const port = z.int().min(0).max(65_535);

/** A name that stands in URLs, tables and metric labels. */
export const resourceName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
  error: "must begin with a letter or digit and hold at most 63 letters, digits, dots, dashes and underscores",
});

/** The name of an environment variable. */
export const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: "expected the name of an environment variable, without $ and braces",
});

/** An http or https address without credentials: those belong in a key's own place, where they stay hidden. */
export const httpUrl = z.string().superRefine((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    context.addIssue({ code: "custom", message: "expected an http:// or https:// address" });
  } else if (url.username !== "" || url.password !== "") {
    context.addIssue({ code: "custom", message: "an address must hold no user or password" });
  }
});

/** Text that is not empty. */
export const text = z.string().min(1);

/** Any JSON value, kept as it is. */
export const json = z.json();

/** A JSON object, kept as it is. */
export const jsonObject = z.record(z.string(), json);

/** The `metadata` of documents that only have a name. */
export const namedMetadata = z.strictObject({
  name: text.optional().describe("A label of this file; it has no effect."),
});

/** The values of an object type, in one place for all of our documents' envelopes. */
export const envelope = <K extends string>(kind: K) => ({
  apiVersion: z.literal(API_VERSION).describe("The version of this format."),
  kind: z.literal(kind).describe("What the document describes."),
});
