export { classOfAddress, createEgress } from "./egress.ts";
export type { AddressClass, Egress, EgressPolicy, EgressRequest, EgressResponse, ResolveHost } from "./egress.ts";
