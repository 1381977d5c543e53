import { existsSync } from "node:fs";
import { join } from "node:path";

import { z } from "zod";

import { formatFaults } from "./fault.ts";
import { noticesOf } from "./not-yet.ts";
import { readSource } from "./read-source.ts";
import { positiveDuration, resourceName, text } from "./schema-parts.ts";
import { validateSource } from "./validate.ts";

const whatsapp = z.strictObject({
  verify_token: text.optional(),
  access_token: text.optional(),
  phone_number_id: text.optional(),
  app_secret: text.optional(),
  default_agent: resourceName.optional(),
  rate_limit: z
    .strictObject({
      window_seconds: positiveDuration.default(60),
      max_messages: z.int().min(1).default(30),
    })
    .optional(),
});

const channelsFile = z.strictObject({ channels: z.strictObject({ whatsapp: whatsapp.optional() }).prefault({}) });

/** What a channels.yaml says about itself. */
export interface CheckedChannels {
  readonly errors: readonly string[];
  readonly notices: readonly string[];
}

/**
 * Checks channels.yaml. No channel is built yet, so its variables are not expanded: one that is not set is not needed.
 */
export function checkChannels(configDir: string | null, cwd: string): CheckedChannels {
  const file = configDir === null ? null : join(configDir, "channels.yaml");
  if (file === null || !existsSync(file)) return { errors: [], notices: [] };
  const { source, faults } = readSource(file, cwd);
  if (source === null) return { errors: formatFaults(faults), notices: [] };
  const checked = validateSource(channelsFile, source);
  if (!checked.ok) return { errors: formatFaults(checked.faults), notices: [] };
  return { errors: [], notices: formatFaults(noticesOf(source, "Channels")) };
}
