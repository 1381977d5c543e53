import type { Accuser, Claim, RecordSigner } from "../../src/mesh/index.ts";

/**
 * Signatures without cryptography: what was signed is remembered by object. A claim that nobody's
 * signer has made is forged. Shared by all nodes of a run.
 */
export function createSimSigners(): (id: string) => RecordSigner {
  const genuine = new WeakSet<object>();
  let made = 0;
  return (id) => ({
    signClaim: (body) => {
      made += 1;
      const claim: Claim = { ...body, key: `key:${id}`, signature: `c${made}` };
      genuine.add(claim);
      return claim;
    },
    verifyClaim: (claim) => genuine.has(claim),
    signAccusation: (_subject, accuser) => {
      made += 1;
      const signed: Accuser = { ...accuser, signature: `a${made}` };
      genuine.add(signed);
      return signed;
    },
    verifyAccusation: (_subject, accuser, key) => key === `key:${accuser.id}` && genuine.has(accuser),
  });
}
