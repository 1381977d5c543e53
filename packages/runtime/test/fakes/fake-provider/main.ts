/**
 * A fake model server as a process: `node --import tsx main.ts '{"port": 11434}'`. Prints one line of JSON with its
 * addresses and ends when its standard input does. POST `/<method>` with a JSON array of arguments at `controlUrl`
 * calls that method of FakeProvider; the answer is `{"result": ..}` or `{"error": text}`.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { startFakeProvider } from "./server.ts";
import type { FakeProvider, FakeProviderOptions } from "./types.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as FakeProviderOptions;
const fake = await startFakeProvider(options);

const control = createServer((request, response) => {
  call(request.url ?? "", request)
    .then((result) => response.end(JSON.stringify({ result })))
    .catch((error: unknown) => response.end(JSON.stringify({ error: String(error) })));
});

async function call(url: string, body: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const args = JSON.parse(Buffer.concat(chunks).toString() || "[]") as unknown[];
  const method = fake[url.slice(1) as keyof FakeProvider];
  if (typeof method !== "function") throw new Error(`the fake provider has no ${url}`);
  return (method as (...args: unknown[]) => Promise<unknown>)(...args);
}

control.listen(0, "127.0.0.1", () => {
  const { port } = control.address() as AddressInfo;
  const { ollamaUrl, openAiUrl } = fake;
  console.log(JSON.stringify({ ollamaUrl, openAiUrl, controlUrl: `http://127.0.0.1:${port}` }));
});
process.stdin.resume().once("end", () => process.exit(0));
