/** What a key may do. `admin` includes the others and sees every principal's runs. */
export const SCOPES = ["run", "read", "approve", "admin"] as const;

/** One right of a key. */
export type Scope = (typeof SCOPES)[number];

/** Who asks: the owner of an API key, or `local` when no keys are configured. */
export interface Principal {
  readonly id: string;
  readonly scopes: readonly Scope[];
}

/** The principal of a node without keys. */
export const LOCAL_PRINCIPAL: Principal = { id: "local", scopes: ["run", "read", "approve", "admin"] };

/** True when the principal has the scope, by itself or through `admin`. */
export function hasScope(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope) || principal.scopes.includes("admin");
}
