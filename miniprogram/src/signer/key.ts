import nacl from 'tweetnacl'
import { base64url, fromBase64url, utf8 } from './bytes'

export interface DeviceKey {
  seed: string
  publicKey: string
}

/** A new Ed25519 key from 32 random bytes; the seed stays on this device. */
export function newDeviceKey(random: Uint8Array): DeviceKey {
  const pair = nacl.sign.keyPair.fromSeed(random)
  return { seed: base64url(random), publicKey: base64url(pair.publicKey) }
}

/** Ed25519 signature of `text` as UTF-8, base64url. */
export function signText(key: DeviceKey, text: string): string {
  const pair = nacl.sign.keyPair.fromSeed(fromBase64url(key.seed))
  return base64url(nacl.sign.detached(utf8(text), pair.secretKey))
}

export function verifyText(publicKey: string, text: string, signature: string): boolean {
  return nacl.sign.detached.verify(utf8(text), fromBase64url(signature), fromBase64url(publicKey))
}

/** Proof at sign-in that the caller holds the key it registers; bound to the single-use login code. */
export const sessionProof = (key: DeviceKey, code: string): string => signText(key, `yirong/session/v1\n${code}`)
