export { LOAD_CAP, rendezvousOrder, withinBounds } from "./affinity.ts";
export type { PickStrategy } from "./pick.ts";
export type { Self } from "./router.ts";
export { createRouting } from "./routing.ts";
export type { LocalFront, RoutedFront, Routing } from "./routing.ts";
export { createStaticPeers } from "./static-peers.ts";
export type { StaticPeers } from "./static-peers.ts";
