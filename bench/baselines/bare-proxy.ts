/**
 * The least that a gateway can do: take a JSON request, look at it, pass it to the model's server over a kept-alive
 * connection, pipe the answer back. What Astromesh adds is measured against it.
 *
 * Run as a process: `bare-proxy.ts UPSTREAM_URL`; prints its port.
 */
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

const upstream = new URL(process.argv[2] ?? "");
const agent = new Agent({ keepAlive: true, maxSockets: 512 });

const server = createServer((incoming, outgoing) => {
  const pieces: Buffer[] = [];
  incoming.on("data", (piece: Buffer) => pieces.push(piece));
  incoming.on("end", () => {
    const body = Buffer.from(JSON.stringify(JSON.parse(Buffer.concat(pieces).toString("utf8"))));
    const headers = { "content-type": "application/json", "content-length": body.length };
    const forwarded = request(upstream, { method: "POST", agent, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.writeHead(502).end());
    forwarded.end(body);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
// It ends with the bench, however that ends.
process.stdin.resume().on("end", () => process.exit(0));
