import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";

import { accusationText, claimText } from "./record.ts";
import type { Mac, MeshKey, RecordSigner } from "./security.ts";

/** The keyring's entry of a secret. Its name gives 48 bits of a hash away, which helps nobody to guess a random secret. */
export function meshKey(secret: string): MeshKey {
  return { id: createHash("sha256").update(`maia key id ${secret}`).digest("hex").slice(0, 12), secret };
}

/** HMAC-SHA256, compared in constant time. */
export const HMAC: Mac = {
  sign: (secret, text) => createHmac("sha256", secret).update(text).digest("base64url"),
  verify: (secret, text, mac) => {
    const [expected, given] = [createHmac("sha256", secret).update(text).digest(), Buffer.from(mac, "base64url")];
    return expected.length === given.length && timingSafeEqual(expected, given);
  },
};

/** The digest of a body that an envelope carries. */
export function bodyDigest(body: string | Uint8Array): string {
  return createHash("sha256").update(body).digest("base64url");
}

/** A new key of a node (Ed25519, PKCS #8 PEM), to be kept beside its id. */
export function newNodeKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Parsed public keys that are kept; a mesh has one for each member. */
const MAX_KEYS = 4_096;

/** Signs records with a node's key, and checks those of others. Throws when the PEM is no Ed25519 key. */
export function createRecordSigner(privatePem: string): RecordSigner {
  const own = createPrivateKey(privatePem);
  if (own.asymmetricKeyType !== "ed25519") throw new TypeError(`not an Ed25519 key: ${own.asymmetricKeyType}`);
  const ownKey = rawKey(createPublicKey(own));
  const parsed = new Map<string, KeyObject>();

  const keyOf = (key: string): KeyObject => {
    const known = parsed.get(key);
    if (known !== undefined) return known;
    const made = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key }, format: "jwk" });
    if (parsed.size >= MAX_KEYS) parsed.clear();
    parsed.set(key, made);
    return made;
  };
  const signText = (text: string): string => sign(null, Buffer.from(text), own).toString("base64url");
  const isSigned = (text: string, key: string, signature: string): boolean => {
    try {
      return verify(null, Buffer.from(text), keyOf(key), Buffer.from(signature, "base64url"));
    } catch {
      // Not a key at all: as wrong as a wrong signature.
      return false;
    }
  };

  return {
    signClaim: (body) => {
      const unsigned = { ...body, key: ownKey, signature: "" };
      return { ...unsigned, signature: signText(claimText(unsigned)) };
    },
    verifyClaim: (claim) => isSigned(claimText(claim), claim.key, claim.signature),
    signAccusation: (subject, accuser) => {
      const unsigned = { ...accuser, signature: "" };
      return { ...unsigned, signature: signText(accusationText(subject, unsigned)) };
    },
    verifyAccusation: (subject, accuser, key) => isSigned(accusationText(subject, accuser), key, accuser.signature),
  };
}

/** The 32 bytes of a public key, base64url. */
function rawKey(key: KeyObject): string {
  return String(key.export({ format: "jwk" }).x);
}
