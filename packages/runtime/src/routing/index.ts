export { LOAD_CAP, rendezvousOrder, withinBounds } from "./affinity.ts";
export type { EjectionOptions } from "./ejection.ts";
export type { PickStrategy } from "./pick.ts";
export type { Self } from "./router.ts";
export { createRouting } from "./routing.ts";
export type { LocalFront, RoutedFront, Routing, RoutingDeps, RoutingOptions } from "./routing.ts";
export { createStaticPeers } from "./static-peers.ts";
export type { StaticPeers, StaticPeersDeps, StaticPeersOptions } from "./static-peers.ts";
