import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { beforeAll, describe, expect, onTestFinished, test } from "vitest";

import type { JsonObject } from "../../../src/core/index.ts";
import { agentOn, ask, run } from "./answers.ts";
import { shareNode } from "./shared-node.ts";

const PRIVATE = { allow_private: true };

const shared = shareNode((provider) => ({
  files: {
    ...agentOn(provider, "files", { tools: [{ name: "read_file" }, { name: "write_file" }, { name: "http_request" }] }),
    ...agentOn(provider, "trusting", { tools: [{ name: "http_request", config: PRIVATE, timeout: "300ms" }] }),
  },
}));

/** What the model is told of one call of a tool. */
async function told(agent: string, name: string, args: JsonObject): Promise<string> {
  const { node, provider } = shared;
  await provider.script([
    { match: { tool: "none" }, tool_calls: [{ name, arguments: args }] },
    { reply: "{tool_result}" },
  ]);
  const { status, body } = await run(node, agent);
  expect(status, body.detail).toBe(200);
  return body.response;
}

describe("http_request", () => {
  test.each([
    "http://127.0.0.1:1/",
    "http://localhost:1/",
    "http://[::1]:1/",
    "http://[::ffff:127.0.0.1]:1/",
    "http://0.0.0.0:1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://100.100.100.200/",
    "http://metadata.google.internal/",
    "file:///etc/passwd",
  ])("does not reach %s", async (url) => {
    expect(await told("files", "http_request", { url })).toMatch(/^tool_(denied|failed|invalid_arguments): /);
  });

  test("does not reach this node or its models, by a tool's test call either", async () => {
    const { node, provider } = shared;
    for (const url of [`${node.url}/v1/config`, `${provider.ollamaUrl}/api/tags`]) {
      expect(await told("files", "http_request", { url })).toMatch(/^tool_denied: /);
      const direct = await ask(node, "/v1/tools/execute", { json: { tool_name: "http_request", arguments: { url } } });
      expect(JSON.stringify(direct.body)).toContain("tool_denied");
    }
  });

  test("that is allowed to goes there, says what went wrong, and gives up in time", async () => {
    const server = createServer((request, response) => {
      if (request.url === "/silent") return;
      if (request.url === "/broken") response.destroy();
      else response.writeHead(503, { "content-type": "text/plain" }).end("busy");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => server.closeAllConnections());
    onTestFinished(() => void server.close());
    const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await told("trusting", "http_request", { url: `${root}/busy` })).toContain('"status":503');
    expect(await told("trusting", "http_request", { url: `${root}/broken` })).toMatch(/^tool_failed: /);
    expect(await told("trusting", "http_request", { url: `${root}/silent` })).toMatch(/^tool_timeout: /);
  });
});

describe("file tools", () => {
  let root = "";
  beforeAll(() => {
    root = join(shared.node.dataDirectory, "files");
    mkdirSync(join(root, "deep"), { recursive: true });
    writeFileSync(join(shared.node.dataDirectory, "secret.txt"), "not for models");
    writeFileSync(join(root, "note.txt"), "for models");
    symlinkSync("../secret.txt", join(root, "link.txt"));
    symlinkSync("..", join(root, "up"));
  });

  test("stay under their root, links and all", async () => {
    expect(await told("files", "read_file", { path: "note.txt" })).toContain("for models");
    const outside = [
      "../secret.txt",
      join(shared.node.dataDirectory, "secret.txt"),
      "deep/../../secret.txt",
      "link.txt",
      "up/secret.txt",
      "/etc/passwd",
      "note.txt\u0000.png",
    ];
    for (const path of outside) {
      const answer = await told("files", "read_file", { path });
      expect({ path, answer }).toEqual({
        path,
        answer: expect.stringMatching(/^tool_(denied|failed|invalid_arguments): /),
      });
      expect(answer).not.toContain("not for");
      if (path === "/etc/passwd") continue;
      // A link itself may be replaced; what it points to must not be touched.
      const written = await told("files", "write_file", { path, content: "taken over" });
      if (path !== "link.txt") expect(written).toMatch(/^tool_/);
    }
    expect(readFileSync(join(shared.node.dataDirectory, "secret.txt"), "utf8")).toBe("not for models");
  });

  test("write below it", async () => {
    expect(await told("files", "write_file", { path: "new/a.txt", content: "kept" })).not.toMatch(/^tool_/);
    expect(existsSync(join(root, "new/a.txt"))).toBe(true);
  });
});
