import type { Role } from "../../core/index.ts";

const SERVICES: Readonly<Record<Role, readonly string[]>> = {
  full: ["api", "agents", "inference", "memory", "tools", "channels", "rag", "observability"],
  gateway: ["api", "channels", "observability"],
  worker: ["api", "agents", "memory", "tools", "rag", "observability"],
  inference: ["api", "inference", "observability"],
};

/** A runtime.yaml for a role; for development it listens on loopback and asks for no key. */
export function runtimeFile(options: {
  readonly role: Role;
  readonly development: boolean;
  readonly apiKey: string | null;
}): string {
  const enabled = SERVICES[options.role];
  const services = SERVICES.full.map((name) => `    ${name}: ${enabled.includes(name)}\n`).join("");
  const auth =
    options.apiKey === null
      ? ""
      : `    auth:
      keys:
        - name: admin
          key: ${options.apiKey}
          scopes: [admin]
`;
  return `apiVersion: astromesh/v1
kind: RuntimeConfig
metadata:
  name: ${options.role}
spec:
  api:
    host: ${options.development ? '"127.0.0.1"' : '"0.0.0.0"'}
    port: 8000
${auth}  services:
${services}  defaults:
    orchestration:
      pattern: react
      max_iterations: 10
`;
}
