import { z } from "zod";

/** Control characters stand in no name: PostgreSQL refuses NUL, and logs and headers would be torn by the others. */
const NO_CONTROLS = /^[^\p{Cc}]*$/u;

/** A session's name as a client may choose it. */
export const sessionId = z
  .string()
  .min(1, "must not be empty")
  .max(200, "must be at most 200 characters")
  .regex(NO_CONTROLS, "must not hold control characters");

/** An agent's name in a request; whether there is one is for the catalog to say. */
export const agentName = z
  .string()
  .min(1, "must not be empty")
  .max(200, "must be at most 200 characters")
  .regex(NO_CONTROLS, "must not hold control characters");

/** Text for a model: any but empty, and without NUL, which PostgreSQL's text cannot hold. */
export const queryText = z
  .string()
  .min(1, "must not be empty")
  .refine((text) => !text.includes("\u0000"), "must not hold NUL characters");

/** A client's key for a request that it may repeat. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, "must be 1 to 255 visible ASCII characters without spaces");
