import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { parse } from "yaml";

import { configTree } from "../../test/fakes/index.ts";
import { loadAgents } from "./agents.ts";
import { checkChannels } from "./channels.ts";
import { editorSchemas } from "./editor-schemas.ts";
import { readEnvironment } from "./environment.ts";
import { loadProviders } from "./providers.ts";
import { resolveNodeConfig } from "./resolve.ts";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const CONFIG = join(ROOT, "config");

test("config/schemas holds what the schemas make (npm run gen)", () => {
  for (const [file, schema] of Object.entries(editorSchemas())) {
    expect(JSON.parse(readFileSync(join(CONFIG, "schemas", file), "utf8")), file).toEqual(schema);
  }
});

test("every shipped file names its schema and fits it in an editor", () => {
  const ajv = new Ajv2020({ strict: false });
  const files = ["runtime.yaml", "providers.yaml", ...list("profiles"), ...list("agents")];
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    const text = readFileSync(join(CONFIG, file), "utf8");
    const schema = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text)?.[1] ?? "";
    const path = join(CONFIG, file, "..", schema);
    const valid = ajv.compile(JSON.parse(readFileSync(path, "utf8")) as object);
    expect(valid(parse(text)), `${file}: ${JSON.stringify(valid.errors)}`).toBe(true);
  }
});

function list(folder: string): string[] {
  return readdirSync(join(CONFIG, folder)).map((file) => join(folder, file));
}

test("the default ./config starts as it is, without a notice", () => {
  const system = { config: "/nowhere/etc", data: "/nowhere/lib", run: "/nowhere/run" };
  const node = resolveNodeConfig({ flags: {}, env: {}, cwd: ROOT, system });
  expect(node).toMatchObject({
    ok: true,
    warnings: [],
    notices: [],
    config: { api: { host: "127.0.0.1", port: 8000 } },
  });
  const { environment } = readEnvironment({});
  const llmProviders = { entries: [], prices: {}, secrets: [] };
  const providers = loadProviders({ configDir: CONFIG, environment, env: {}, cwd: ROOT, llmProviders });
  expect(providers).toMatchObject({ ok: true, warnings: [], notices: [] });
  const defaults = providers.ok ? providers.config.defaultCandidates.map(({ provider }) => provider) : [];
  expect(defaults).toEqual(["ollama", "offline"]);
  const known = providers.ok ? { providers: providers.config.providers } : {};
  const { agents, rejected, notices } = loadAgents(join(CONFIG, "agents"), { env: {}, cwd: ROOT, ...known });
  expect(agents.map(({ definition }) => definition.name)).toEqual([
    "assistant",
    "default",
    "researcher",
    "storyteller",
  ]);
  expect([rejected, notices, agents.flatMap((agent) => agent.notices)]).toEqual([[], [], []]);
});

test("channels.yaml is checked, and says that it has no effect", () => {
  const check = (text: string) => {
    const cwd = configTree({ "config/channels.yaml": text });
    return checkChannels(join(cwd, "config"), cwd);
  };
  expect(check("channels:\n  whatsapp:\n    access_token: ${WHATSAPP_TOKEN}\n")).toEqual({
    errors: [],
    notices: ["config/channels.yaml:1:1 channels: accepted, but has no effect in this version"],
  });
  expect(check("channels:\n  whatsap: {}\n").errors).toEqual([
    'config/channels.yaml:2:3 channels: unknown key "whatsap"; did you mean "whatsapp"?',
  ]);
  expect(checkChannels(null, "/")).toEqual({ errors: [], notices: [] });
});
