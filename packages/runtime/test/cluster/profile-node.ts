import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { createTestNode } from "../harness/index.ts";
import type { NodeOptions, TestNode } from "../harness/index.ts";

/** A peer of a profile, where it really is. */
export interface PeerAt {
  readonly name: string;
  readonly url: string;
  readonly services: readonly string[];
}

/** Sets up a daemon with a shipped profile as its runtime.yaml; only its address and its peers' are the test's. */
export function profileNode(
  profile: "gateway" | "worker" | "inference",
  options: NodeOptions & { readonly peers?: readonly PeerAt[] } = {},
): TestNode {
  const { peers = [], files, ...rest } = options;
  return createTestNode({
    name: profile,
    ...rest,
    files: { "runtime.yaml": withPeers(shipped(profile), peers), ...files },
  });
}

/** The profile's peer of those services, at another address. */
export const workerAt = (node: TestNode, name = "worker-1"): PeerAt => ({
  name,
  url: node.url,
  services: ["agents", "tools", "memory", "rag"],
});

/** The inference peer of the worker's profile, at another address. */
export const inferenceAt = (node: TestNode): PeerAt => ({
  name: "inference-1",
  url: node.url,
  services: ["inference"],
});

function shipped(profile: string): string {
  const path = fileURLToPath(new URL(`../../../../config/profiles/${profile}.yaml`, import.meta.url));
  return readFileSync(path, "utf8").replace('host: "0.0.0.0"', 'host: "127.0.0.1"');
}

function withPeers(yaml: string, peers: readonly PeerAt[]): string {
  const list = peers.map(
    ({ name, url, services }) => `    - name: ${name}\n      url: ${url}\n      services: [${services.join(", ")}]\n`,
  );
  const [before = ""] = yaml.split(/^ {2}peers:/m);
  return `${before}  peers:${list.length === 0 ? " []\n" : `\n${list.join("")}`}`;
}
