import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { createKeyring } from "../core/index.ts";
import type { Keyring, Mac, MeshKey } from "../core/index.ts";

/** HMAC-SHA256, compared in constant time. */
const HMAC_SHA256: Mac = {
  sign: (secret, text) => createHmac("sha256", secret).update(text).digest("base64url"),
  verify(secret, text, mac) {
    const right = createHmac("sha256", secret).update(text).digest();
    const given = Buffer.from(mac, "base64url");
    return given.length === right.length && timingSafeEqual(given, right);
  },
};

/** The keyring of a node's mesh secrets (`ASTROMESH_MESH_SECRET`); null when there are none. */
export function meshKeyring(secrets: readonly string[]): Keyring | null {
  const [first, ...rest] = secrets.map((secret): MeshKey => ({ id: keyId(secret), secret }));
  return first === undefined ? null : createKeyring([first, ...rest], HMAC_SHA256);
}

const keyId = (secret: string): string =>
  createHash("sha256").update(`astromesh key id:${secret}`).digest("base64url").slice(0, 8);

/**
 * The digest of an envelope: over everything that a request carries beside the envelope's own fields. Each part is
 * preceded by its length, so that nothing can move from one to another.
 */
export function sealedDigest(parts: {
  readonly context: string;
  readonly echo: string;
  readonly body: string;
}): string {
  const { context, echo, body } = parts;
  const hash = createHash("sha256");
  hash.update(`${context.length}:${context}\n${echo.length}:${echo}\n`).update(body);
  return hash.digest("base64url");
}
