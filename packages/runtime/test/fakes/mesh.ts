import { type Claim, DEFAULT_SETTINGS, type MeshOptions, type NodeMeta, UNSIGNED } from "../../src/mesh/index.ts";

/** What an ordinary worker tells of itself. */
export const exampleMeta: NodeMeta = {
  name: "worker",
  role: "worker",
  services: ["agents", "tools"],
  address: "10.0.0.1:8000",
  agents: ["default"],
  region: null,
  tags: [],
  resources: null,
  draining: false,
  store: null,
  release: "0.1.0",
  features: [],
};

/** A first claim of a node, unsigned. */
export function exampleClaim(id: string, changes: Partial<Claim> = {}): Claim {
  const meta = { ...exampleMeta, name: id, address: `${id}:8000` };
  return { id, boot: 1, incarnation: 0, version: 0, left: false, meta, key: "", signature: "", ...changes };
}

/** Options of a core that needs nothing; `random` is constant, so that rounds come at known times. */
export function exampleOptions(id: string, changes: Partial<MeshOptions> = {}): MeshOptions {
  return {
    id,
    boot: 1,
    label: id,
    meta: exampleClaim(id).meta,
    seeds: [],
    settings: DEFAULT_SETTINGS,
    signer: UNSIGNED,
    random: () => 0.5,
    ...changes,
  };
}
