import type { Clock } from "../../core/index.ts";
import type { Logger, ModelGateway, RunPlaces } from "../../core/ports/index.ts";
import { createPeerGate } from "../../doors/index.ts";
import type { Drain, NodeDoorDeps } from "../../doors/index.ts";
import { meshKeyring } from "../../net/index.ts";
import type { LocalFront, RoutedFront } from "../../routing/index.ts";
import type { DataDirectory } from "../identity.ts";
import type { Snapshot } from "../snapshot.ts";
import { CLUSTER, ownStatus } from "./peers.ts";
import type { NodePeers, OwnFacts } from "./peers.ts";

/** What other nodes are served: what is here; and what is elsewhere only by a node that runs no agents itself. */
export function nodeDoorDeps(
  base: { readonly clock: Clock; readonly logger: Logger },
  node: {
    readonly version: string;
    readonly first: Snapshot;
    readonly data: DataDirectory;
    readonly peers: NodePeers | null;
  },
  parts: {
    readonly here: LocalFront;
    readonly everywhere: RoutedFront | null;
    readonly ownModels: ModelGateway;
    readonly drain: Drain;
    readonly facts: () => OwnFacts;
  },
): NodeDoorDeps {
  const { config } = node.first;
  const { identity } = node.data;
  const { here, everywhere, ownModels, drain, facts } = parts;
  const { agents, inference } = config.services;
  const alone: RunPlaces = { routedTo: () => config.name, inferenceNode: () => config.name };
  return {
    gate: createPeerGate({
      nodeId: identity.nodeId,
      cluster: CLUSTER,
      keyring: meshKeyring(config.mesh.secrets),
      keyed: config.api.keys.length > 0,
    }),
    status: () => ownStatus(config, identity, node.version, facts()),
    depth: () => facts().engine.status().active,
    runsFor: (via) => (agents || everywhere === null ? here.runs : everywhere.runsThrough(via)),
    places: node.peers?.routing.places ?? alone,
    catalog: here.catalog,
    agents: agents ? here.agents : null,
    memory: here.memory,
    models: inference ? ownModels : null,
    drain,
    ...base,
  };
}
